"""Whether the late layers of an ST-GCN are enough to learn other actions."""
