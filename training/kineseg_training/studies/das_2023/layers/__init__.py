"""Which layers of a model separate actions: dataset graphs and label smoothness, layer by layer."""
