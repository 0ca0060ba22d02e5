"""What receives: sockets, standard input and commands."""
