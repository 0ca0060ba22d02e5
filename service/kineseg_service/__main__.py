"""`python -m kineseg_service` is the `kineseg` command."""

from __future__ import annotations

from kineseg_service.cli import main

if __name__ == "__main__":
    main()
