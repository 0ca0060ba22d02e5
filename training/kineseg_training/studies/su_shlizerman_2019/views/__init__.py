"""The embedding seen from outside: principal components of states, and how well they separate actions."""
