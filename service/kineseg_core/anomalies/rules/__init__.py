"""Exact rules: what no source does that works, found without a budget, each in a file of its own.

Where a source does it all the same, because it is quantised, idles or loses frames as a matter of course, a rule
learns what is usual (`runs`) and needs more.
"""
