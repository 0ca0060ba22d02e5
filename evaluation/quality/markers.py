"""Puts what a command printed into a page, between two comments that the page keeps."""

from __future__ import annotations

from pathlib import Path

from evaluation.quality.errors import QualityError


def insert(path: Path, name: str, text: str) -> None:
    """Replaces what stands between ``<!-- name -->`` and ``<!-- /name -->`` of a page.

    Raises:
        QualityError: The page is not there, or has no such place.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    try:
        page = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise QualityError(f"{path}: there is no such page; it must have {begin} ... {end}") from error
    if begin not in page or end not in page:
        raise QualityError(f"{path}: has no {begin} ... {end} to write between")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")
