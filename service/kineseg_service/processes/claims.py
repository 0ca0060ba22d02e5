"""The names of the open sessions of all processes: a symbolic link each, which only one process can make."""

from __future__ import annotations

import contextlib
from pathlib import Path


class FolderClaims:
    """The names that one process has taken, in a folder that all of them share.

    Args:
        folder: There for this alone.
        index: Whose they are.
    """

    def __init__(self, folder: Path, index: int) -> None:
        self._folder = folder
        self._owner = str(index)
        self._taken: dict[str, list[Path]] = {}

    def take(self, name: str, *others: str) -> bool:
        """Takes a name, and others that stand for the same; False, and none is taken, when one is taken already."""
        links: list[Path] = []
        for one in dict.fromkeys((name, *others)):
            link = self._link(one)
            try:
                link.symlink_to(self._owner)
            except FileExistsError:
                _remove(links)
                return False
            except OSError:
                _remove(links)
                raise
            links.append(link)
        self._taken[name] = links
        return True

    def free(self, name: str) -> None:
        """Gives back what was taken with the name, if anything was."""
        _remove(self._taken.pop(name, []))

    def _link(self, name: str) -> Path:
        # As numbers: a file system may take "A" for "a", and "." is no name of a file.
        return self._folder / name.encode().hex()


def free_all(folder: Path, index: int) -> None:
    """Gives back all names of a process that has ended."""
    for link in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if str(link.readlink()) == str(index):
                link.unlink()


def _remove(links: list[Path]) -> None:
    for link in links:
        link.unlink(missing_ok=True)
