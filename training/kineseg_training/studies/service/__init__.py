"""Models behind the real server: segments and names of real takes, faults, and videos."""
