"""How well an ST-GCN names actions, how sure it is, and what it makes of unknown ones."""
