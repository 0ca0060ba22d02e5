"""`python -m kineseg_cli` is the `kineseg` command."""

from __future__ import annotations

from kineseg_cli import main

if __name__ == "__main__":
    main()
