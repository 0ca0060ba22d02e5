"""How rare the values of a frame are: against their own envelope, then against the tails of what was before."""
