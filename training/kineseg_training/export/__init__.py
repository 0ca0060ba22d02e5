"""Bundles of every family of models, for the service to run."""
