"""Fits how probable it is that a segment repeats an action, on training streams whose segments are known."""
