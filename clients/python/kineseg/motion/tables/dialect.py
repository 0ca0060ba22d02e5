"""How a table is written: what stands between cells, how decimals are marked, and which lines are no rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kineseg.motion.errors import MotionFileError
from kineseg.motion.source_file import SourceFile
from kineseg.motion.tables.cells import is_missing, moment, number

_SEP = re.compile(r'"?sep=(.|\\t)"?[\s;,]*', re.IGNORECASE)
_VENDOR = re.compile(r"(?:format version|scorer|no_of_\w+|pathfiletype)([,;\t])", re.IGNORECASE)
_COMMENT = ("#", "%", "//")
_SAMPLE = 60  # lines that are looked at
# Likeliest first; None is any white space.
_DELIMITERS: tuple[str | None, ...] = (",", ";", "\t", None, "|")


@dataclass(frozen=True)
class Lines:
    """The lines of a table and how to take them apart.

    Attributes:
        source: The file.
        lines: All of its lines, with nothing in those that are comments.
        delimiter: Between cells; None: any white space.
        decimal_comma: Whether numbers have a comma for the decimal point.
        comments: Line number (0-based) and text of comments.
        whole: Whether the last line is ended.
    """

    source: SourceFile
    lines: list[str]
    delimiter: str | None
    decimal_comma: bool
    comments: tuple[tuple[int, str], ...]
    whole: bool

    def cells(self, line: str) -> list[str]:
        """The cells of a line, without quotes and blanks around them."""
        return split(line, self.delimiter)

    def number(self, cell: str) -> float | None:
        """See `cells.number`."""
        return number(cell, decimal_comma=self.decimal_comma)

    def error(self, message: str, *, line: int | None = None, field: str | None = None) -> MotionFileError:
        """An error at a line (0-based)."""
        return MotionFileError(message, path=self.source.path, line=None if line is None else line + 1, field=field)


def split(line: str, delimiter: str | None) -> list[str]:
    """The cells of a line."""
    if '"' in line:
        try:
            row = next(csv.reader([line], delimiter=delimiter or " ", skipinitialspace=True), [])
        except csv.Error:
            row = line.split(delimiter)
        return [cell.strip() for cell in row] or [""]
    return [cell.strip() for cell in line.split(delimiter)] or [""]


def find_dialect(source: SourceFile, text: str) -> Lines:
    """Find out how a table is written."""
    lines = text.split("\n")
    whole = not lines[-1]
    lines = lines[:-1] if whole else lines
    given: str | None = None
    first = next(i for i, line in enumerate(lines) if line.strip())
    sep = _SEP.fullmatch(lines[first].strip())
    if sep is not None:
        given = "\t" if sep[1] == "\\t" else sep[1]
        lines[first] = ""
    vendor = _VENDOR.match(lines[first].lstrip())
    given = vendor[1] if vendor is not None else given
    comments = tuple((i, line) for i, line in enumerate(lines) if line.lstrip().startswith(_COMMENT))
    for i, _ in comments:
        lines[i] = ""
    sample = [line for line in lines[: 4 * _SAMPLE] if line.strip()][:_SAMPLE]
    top, sample = sample[:1], sample[len(sample) // 2 :]
    ways = [
        (delimiter, comma)
        for delimiter in ((given,) if given else _DELIMITERS)
        for comma in (False, True)
        if not comma or delimiter != "," or '"' in "".join(sample)
    ]
    delimiter, comma = max(ways, key=lambda way: _fitness(top, sample, *way)) if sample else (given or ",", False)
    return Lines(source, lines, delimiter, comma, comments, whole)


def _fitness(
    top: Sequence[str], sample: Sequence[str], delimiter: str | None, decimal_comma: bool
) -> tuple[float, bool, bool]:
    """How well a sample of rows comes out as numbers in columns, and whether the top line has as many cells.

    Without the top line "0,02" and a tab are a number and nothing, or two numbers.
    """
    rows = [split(line, delimiter) for line in sample]
    width, often = Counter(map(len, rows)).most_common(1)[0]
    if width == 1 and decimal_comma:
        return 0.0, False, False  # "1,5" alone on each line: two columns, as likely as not
    cells = [cell for row in rows for cell in row]
    values = sum(_is_value(cell, decimal_comma) for cell in cells) / max(len(cells), 1)
    return round(values * often / len(rows), 6), width > 1, all(len(split(line, delimiter)) == width for line in top)


def _is_value(cell: str, decimal_comma: bool) -> bool:
    return is_missing(cell) or number(cell, decimal_comma=decimal_comma) is not None or moment(cell) is not None
