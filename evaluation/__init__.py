"""How good and how fast it is, measured; nothing of the product imports it."""
