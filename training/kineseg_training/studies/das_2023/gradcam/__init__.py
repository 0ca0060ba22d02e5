"""Which joints an ST-GCN goes by, layer by layer."""
