"""What is done to servers and their networks, and what becomes of the streams: `make chaos`."""
