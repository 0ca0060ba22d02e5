"""Blocks of time: what is compared and decided is so in steps of one, whatever a model's rate."""

BLOCK_S = 0.1
