"""`python -m kineseg_training`: the same as `kineseg-train`."""

from kineseg_training.cli import main

if __name__ == "__main__":
    main()
