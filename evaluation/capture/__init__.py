"""Protocols of capture software on loopback: a twin at one end, a source at the other, and what is segmented."""
