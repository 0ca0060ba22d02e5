"""What a trained model sees: its states in views, how they gather by action, and what that tells of its training."""
