"""Where streams are kept beside the server that runs them, so that they outlive it, and what writes to there."""
