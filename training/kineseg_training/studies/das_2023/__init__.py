"""Recognising actions with an ST-GCN: training, calibration, and transfer to other actions."""
