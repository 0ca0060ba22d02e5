"""The commands of `kineseg`, one file each."""
