"""Every family of models as a bundle behind the service."""
