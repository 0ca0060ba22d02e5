"""How well alerts find faults, how soon, what they call them, and how often they are false: ours and others'."""
