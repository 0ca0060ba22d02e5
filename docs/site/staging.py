"""Lays out the sources of the site: the pages of the repository, with links as the site needs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from sections import ELSEWHERE

ROOT = Path(__file__).resolve().parents[2]
SOURCE_URL = "https://github.com/kineseg/kineseg/{kind}/main/{path}"
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)\s]+)(?=\))")
_FENCE = re.compile(r"^ *(```|~~~)")
_OURS = ("docs/site/", "docs/gallery/")  # what makes the site, and is no page of it


class BrokenLinksError(Exception):
    """Links of pages that lead nowhere."""


@dataclass
class Staging:
    """The folder that Sphinx reads. What has not changed is not written, so that Sphinx builds only the rest.

    Attributes:
        folder: Where it is.
        written: All files that belong there, relative to it.
    """

    folder: Path
    written: set[str] = field(default_factory=set)

    def write(self, name: str, text: str) -> None:
        """A page."""
        path = self._path(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

    def copy(self, name: str, source: Path) -> None:
        """A picture."""
        path = self._path(name)
        if not path.exists() or path.read_bytes() != source.read_bytes():
            shutil.copyfile(source, path)

    def sweep(self, keep: str) -> None:
        """Remove what does not belong there any more, but for a folder."""
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and name not in self.written and not name.startswith(f"{keep}/"):
                path.unlink()

    def _path(self, name: str) -> Path:
        self.written.add(name)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def stage_pages(staging: Staging, changed: Callable[[str, str], str]) -> None:
    """Put all pages and pictures of the repository in their places.

    Args:
        staging: Where.
        changed: Is given the name and text of each page, and returns what is written.

    Raises:
        BrokenLinksError: Some links lead to nothing that is in the repository.
    """
    tracked = _tracked()
    places = {name: place for name in tracked if (place := _place(name))}
    broken: list[str] = []
    for name, place in places.items():
        if not name.endswith(".md"):
            staging.copy(place, ROOT / name)
        elif place != "index.md":  # the site has a first page of its own
            text = _with_links(name, place, places, tracked, broken)
            staging.write(place, changed(place, text))
    if broken:
        raise BrokenLinksError("\n".join(broken))


def _place(name: str) -> str | None:
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    if not name.startswith("docs/") or name.startswith(_OURS) or PurePosixPath(name).suffix not in (".md", ".png"):
        return None
    inside = name.removeprefix("docs/")
    return re.sub(r"README\.md$", "index.md", inside)


def _with_links(name: str, place: str, places: dict[str, str], tracked: set[str], broken: list[str]) -> str:
    lines, fenced = [], False
    for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1):
        fenced ^= bool(_FENCE.match(line))

        def moved(link: re.Match[str], number: int = number) -> str:
            target, _, anchor = link[1].partition("#")
            path = os.path.normpath(PurePosixPath(name).parent / unquote(target))
            if path in places:
                where = os.path.relpath(places[path], PurePosixPath(place).parent)
                return f"{where}#{anchor}" if anchor else where
            if path in tracked:
                return SOURCE_URL.format(kind="blob", path=path)
            if any(each.startswith(f"{path}/") for each in tracked):
                return SOURCE_URL.format(kind="tree", path=path)
            broken.append(f"{name}:{number}: {link[1]} leads to nothing that is in the repository")
            return link[0]

        lines.append(line if fenced else _LINK.sub(moved, line))
    return "\n".join(lines) + "\n"


def _tracked() -> set[str]:
    """Files of the repository, those that are to be committed included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name for name in names if name and (ROOT / name).is_file()}
