"""What papers claim, done again: a folder for each paper, and in it one for each experiment."""
