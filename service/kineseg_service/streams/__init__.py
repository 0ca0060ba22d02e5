"""The open streams, and who watches them."""
