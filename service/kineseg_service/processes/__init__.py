"""One server in several processes behind one port: a supervisor that starts them, and what they share."""
