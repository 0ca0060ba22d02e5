"""What has been taught for every model, kept on disk."""
