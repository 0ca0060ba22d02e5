"""Teaches the segmenter's judges: from motion whose boundaries are known because it was made."""
