"""The embedding seen from outside: principal components of states, and how well they tell actions apart."""
