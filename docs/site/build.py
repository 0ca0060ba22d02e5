"""Builds the site: python docs/site/build.py [--fast]

What Sphinx warns of, and any link within the site or to a file of the repository that leads nowhere, is an error. Needs
no network. With --fast the examples of the gallery are shown without being run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from sections import SECTIONS, UNPLACED, Section
from sphinx.cmd.build import build_main
from staging import ROOT, BrokenLinksError, Staging, stage_pages

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Build; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="folder for sources and pages")
    parser.add_argument("--fast", action="store_true", help="do not run the examples of the gallery")
    chosen = parser.parse_args()
    os.environ["KINESEG_SITE_GALLERY"] = "0" if chosen.fast else "1"
    out = chosen.out.resolve()
    staging = Staging(out / ("source-fast" if chosen.fast else "source"))
    try:
        stage(staging)
    except BrokenLinksError as error:
        print(error, file=sys.stderr)
        return 1
    html = out / ("html-fast" if chosen.fast else "html")
    trees = out / ("trees-fast" if chosen.fast else "trees")
    options = ["-b", "html", "-c", str(HERE), "-d", str(trees), "-a", "-W", "--keep-going", "-q"]
    status = build_main([*options, str(staging.folder), str(html)])
    if status:
        shutil.rmtree(trees)  # so that what was warned of once is warned of again
    else:
        print(f"{html / 'index.html'}")
    return status


def stage(staging: Staging) -> None:
    """Lay out all that Sphinx reads."""
    from api import api_pages
    from commands import commands_page
    from events import events_page
    from protocol import protocol_pages

    sections = {section.page: section for section in SECTIONS}

    def with_entries(place: str, text: str) -> str:
        section = sections.get(place.removesuffix(".md"))
        return text if section is None else f"{text}\n{_toctree(section)}"

    staging.write("index.md", (HERE / "index.md").read_text(encoding="utf-8"))
    stage_pages(staging, with_entries)
    for section in SECTIONS:
        if section.title:
            staging.write(
                f"{section.page}.md", f"# {section.title}\n\n{section.text}\n\n{_toctree(section, shown=True)}"
            )
    for name, text in (events_page(), commands_page(), *protocol_pages(), *api_pages()):
        staging.write(name, text)
    staging.sweep(keep="gallery")
    for page in (staging.folder / "gallery").glob("[0-9]*.rst"):
        if not (HERE.parent / "gallery" / f"{page.stem}.py").exists():
            page.unlink()


def _toctree(section: Section, *, shown: bool = False) -> str:
    options = ":maxdepth: 1" if shown else ":hidden:"
    entries: list[str] = []
    for entry in section.entries:
        if entry == UNPLACED:
            entries += _unplaced()
        elif entry != "*" or _has_pages(section):
            entries.append(entry)
    return "\n".join(["```{toctree}", ":glob:", options, "", *entries, "```", ""])


def _unplaced() -> list[str]:
    placed = {entry for section in SECTIONS for entry in section.entries}
    return sorted({f"/{page.stem}" for page in HERE.parent.glob("*.md")} - placed)


def _has_pages(section: Section) -> bool:
    """Whether there are pages beside its first."""
    folder = HERE.parent / Path(section.page).parent
    return any(page.name != "README.md" for page in folder.glob("*.md"))


if __name__ == "__main__":
    sys.exit(main())
