"""Over how many blocks it is decided whether a stream stands still."""

STILL_GROUP, STILL_GROUPS = 5, 12
"""Blocks in a group, and groups that must stand still."""
