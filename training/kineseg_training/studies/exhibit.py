"""What an experiment leaves behind: pictures with captions, tables, figures, and what they say about a paper.

Every experiment is a function ``(context: RunContext) -> Exhibit``. It computes in `RunContext.out`, a folder of its
own, and a report puts the exhibits of several experiments on one page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.files import write_atomically

Preset = Literal["tiny", "small", "full"]
Agreement = Literal["agrees", "partly", "disagrees", "not compared"]

EXHIBIT_FILE = "exhibit.json"


@dataclass(frozen=True)
class RunContext:
    """Where an experiment works and what it may use.

    Attributes:
        out: Its own folder, which exists; an interrupted experiment finds there what it had done.
        preset: ``tiny`` for tests (seconds), ``small`` for two CPU cores (minutes), ``full`` as in the paper.
        cmu: Folder of the CMU clips (``train``, ``test``, ``subject_86``), if there is one.
        bvh: Folder of the BVH recordings, if there is one.
        device: As torch names it.
        progress: Show bars.
        seed: Of everything random.
    """

    out: Path
    preset: Preset = "small"
    cmu: Path | None = None
    bvh: Path | None = None
    device: str = "cpu"
    progress: bool = True
    seed: int = 0

    @property
    def models(self) -> Path:
        """Folder of trained models, shared by the experiments that work side by side."""
        return self.out.parent / "models"

    def needs_cmu(self) -> Path:
        """The CMU folder.

        Raises:
            DataError: There is none.
        """
        if self.cmu is None or not (self.cmu / "train").is_dir():
            raise DataError(f"{self.cmu}: has no folder 'train'; name the folder of the CMU clips with --cmu")
        return self.cmu

    def needs_bvh(self) -> Path:
        """The BVH folder.

        Raises:
            DataError: There is none.
        """
        if self.bvh is None or not self.bvh.is_dir():
            raise DataError(f"{self.bvh}: no such folder; name the folder of the BVH recordings with --bvh")
        return self.bvh


@dataclass(frozen=True)
class Picture:
    """A picture and what is to be said about it.

    Attributes:
        file: Name in the experiment's folder: PNG, GIF or MP4.
        caption: What it shows and how it was made, in full sentences.
    """

    file: str
    caption: str


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: Their headings, with units.
        rows: As many cells in each as there are columns; numbers are shown to three digits.
        caption: What it shows and how it was made.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    caption: str

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise SettingsError(f"rows: a row of {len(row)} cells under {len(self.columns)} columns: {row}")


@dataclass(frozen=True)
class Exhibit:
    """What an experiment found.

    Attributes:
        title: In a few words.
        paper: Whose claim it is about: "Su & Shlizerman 2019", ..., or "kineseg".
        command: The command line that makes this alone.
        findings: Paragraphs in words and figures, computed, not written beforehand.
        agreement: Whether the paper's claim was found here too.
        verdict: One sentence: the claim, and what was found.
        pictures: With captions.
        tables: With captions.
        figures: The numbers that others quote, by name.
    """

    title: str
    paper: str
    command: str
    findings: tuple[str, ...]
    agreement: Agreement
    verdict: str
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write it as JSON beside its pictures."""
        for picture in self.pictures:
            if not (folder / picture.file).is_file():
                raise SettingsError(f"pictures: {folder / picture.file} was not made")
        write_atomically(folder / EXHIBIT_FILE, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> Exhibit:
        """What `save` wrote."""
        raw = json.loads((folder / EXHIBIT_FILE).read_text())
        return cls(
            **raw
            | {
                "findings": tuple(raw["findings"]),
                "pictures": tuple(Picture(**picture) for picture in raw["pictures"]),
                "tables": tuple(
                    Table(tuple(table["columns"]), tuple(map(tuple, table["rows"])), table["caption"])
                    for table in raw["tables"]
                ),
            }
        )

    def text(self) -> str:
        """For the terminal."""
        lines = [self.title, "=" * len(self.title), *self.findings]
        for table in self.tables:
            cells = [table.columns, *[tuple(shown(cell) for cell in row) for row in table.rows]]
            widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
            lines += ["", table.caption]
            lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
        return "\n".join([*lines, "", f"{self.paper}: {self.agreement}. {self.verdict}"])


def experiment(function: str) -> Callable[[RunContext], Exhibit]:
    """An experiment by its module and name in this package, ``module:name``.

    The module is imported only now, so that what lists experiments need not wait for all that they need.
    """
    module, _, name = function.partition(":")
    found: Callable[[RunContext], Exhibit] = getattr(import_module(f"kineseg_training.{module}"), name)
    return found


def shown(cell: str | float) -> str:
    """A cell of a table as text."""
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)
