"""Clusterers of segments compared: ours and River's, with true boundaries and with those that the service finds."""
