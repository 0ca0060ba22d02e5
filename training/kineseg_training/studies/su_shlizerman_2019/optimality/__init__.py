"""Whether the embedding says when a model is trained enough."""
