"""What a stream costs: `make bench`. Ratios are measured side by side in one run; absolute times are the machine's."""
