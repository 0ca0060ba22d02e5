"""The rows of a table as columns of numbers; with the place of the first cell that is none."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.tables.cells import is_missing, moment, unwrapped
from kineseg.motion.tables.dialect import Lines
from kineseg.motion.tables.layout import Layout
from kineseg.motion.time_names import time_name

Array = NDArray[np.float64]

_MISSING_WORDS = r"n/?a|#n/a|null|none|nil|nat|-{1,3}"


@dataclass
class Columns:
    """The columns of a table.

    Attributes:
        names: Their names, none twice; ``channel_<i>`` where the table has no header.
        values: ``(rows, columns)``; NaN where a value is missing.
        moments: Those columns that hold dates or times of day, as seconds now.
        notes: What was left out or assumed, for people.
        header: Line (0-based) of the names, for errors.
        named: Whether the table has names at all.
    """

    names: list[str]
    values: Array
    moments: set[str]
    notes: list[str]
    header: int
    named: bool

    def drop(self, names: Sequence[str]) -> None:
        """Leave columns out."""
        left_out = set(names)
        kept = [i for i, name in enumerate(self.names) if name not in left_out]
        self.names, self.values = [self.names[i] for i in kept], self.values[:, kept]

    def column(self, name: str) -> Array:
        """``(rows,)`` the values of a column."""
        return np.asarray(self.values[:, self.names.index(name)])


def read_columns(table: Lines, layout: Layout) -> Columns:
    """Read the rows of a table.

    Raises:
        MotionFileError: Rows of different lengths, names that are not unique, or a cell that is not a number; names the
            line and the column.
    """
    numbers = [i for i in range(layout.first_row, layout.end) if table.lines[i].strip()]
    if not numbers:
        raise table.error("a header but no frames", line=layout.header)
    notes = list(layout.notes)
    width = _width(table, layout, numbers)
    last = len(table.cells(table.lines[numbers[-1]]))
    if last < width and len(numbers) > 1 and not table.whole and layout.end == len(table.lines):
        notes.append(f"the last line, {numbers[-1] + 1}, breaks off in the middle and is left out")
        numbers = numbers[:-1]
    names = _names(table, layout, width, notes)
    rows = [table.lines[i] for i in numbers]
    values, moments, texts = _fast(table, rows, width), set[int](), set[int]()
    if values is None:
        values, moments, texts = _careful(table, rows, numbers, names)
    _check_finite(table, values, names, numbers)
    kept = [i for i, name in enumerate(names) if name is not None and i not in texts]
    # A column without a name and without a value is what a delimiter at the end of each line leaves behind.
    kept = [i for i in kept if names[i] or not np.isnan(values[:, i]).all()]
    text_names = [str(names[i]) for i in sorted(texts) if names[i]]
    if text_names:
        notes.append(f"columns of text are left out: {', '.join(map(repr, text_names[:5]))}")
    if not kept or (text_names and all(i in moments or time_name(names[i] or "") for i in kept)):
        of_text = f"; columns of text: {', '.join(map(repr, text_names[:5]))}" if text_names else ""
        raise table.error(f"no column of numbers that could be a channel{of_text}", line=layout.header)
    final = _unique(table, layout, [str(names[i]) for i in kept], kept, notes)
    return Columns(
        final,
        values[:, kept],
        {final[place] for place, i in enumerate(kept) if i in moments},
        notes,
        layout.header,
        bool(layout.names),
    )


def _width(table: Lines, layout: Layout, numbers: list[int]) -> int:
    """How many cells a row has."""
    widths = [len(table.cells(table.lines[i])) for i in (*numbers[:20], *numbers[-2:])]
    if not layout.names:
        return widths[0]
    if len(layout.names) in widths:
        return len(layout.names)
    return max(set(widths), key=widths.count)


def _names(table: Lines, layout: Layout, width: int, notes: list[str]) -> list[str | None]:
    names: list[str | None] = list(layout.names)
    if not names:
        return [f"channel_{i}" for i in range(width)]
    while len(names) > width and not names[-1]:
        names.pop()
    if len(names) == width - 1:
        rows = [table.cells(table.lines[i]) for i in _some(table, layout)]
        if all(not row[-1] for row in rows):
            return [*names, ""]  # a delimiter at the end of each row
        firsts = [table.number(row[0]) for row in rows]
        if all(first is None or first - i == firsts[0] for i, first in enumerate(firsts)):
            return ["", *names]  # R writes no name over the names of rows
    if len(names) < width and all(not any(table.cells(table.lines[i])[len(names) :]) for i in _some(table, layout)):
        return [*names, *[""] * (width - len(names))]
    if len(names) != width:
        raise table.error(
            f"the header names {len(names)} columns, but the rows have {width} values; there must be one name over "
            "every column",
            line=layout.header,
        )
    return names


def _some(table: Lines, layout: Layout) -> list[int]:
    return [i for i in range(layout.first_row, min(layout.end, layout.first_row + 50)) if table.lines[i].strip()]


def _fast(table: Lines, rows: list[str], width: int) -> Array | None:
    """All rows at once, if they hold nothing but numbers and missing values; None: they do not."""
    if table.decimal_comma:
        if any("." in row for row in rows[:50]):
            return None
        rows = [row.replace(",", ".") for row in rows]
    for attempt in range(2):
        if attempt:
            if table.delimiter is None:
                return None
            rows = _with_nan(rows, table.delimiter)
        try:
            values = np.loadtxt(
                rows, delimiter=table.delimiter, ndmin=2, comments=None, dtype=np.float64, quotechar='"', max_rows=None
            )
        except (ValueError, StopIteration, OverflowError):
            continue
        if values.shape == (len(rows), width):
            return values
    return None


def _with_nan(rows: list[str], delimiter: str) -> list[str]:
    mark = re.escape(delimiter)
    missing = re.compile(
        rf"(?:(?<={mark})|^)[ \t]*(?:{_MISSING_WORDS})?[ \t]*(?={mark}|$)"
        if delimiter != "\t"
        else rf"(?:(?<=\t)|^) *(?:{_MISSING_WORDS})? *(?=\t|$)",
        re.IGNORECASE,
    )
    return [missing.sub("nan", row) for row in rows]


def _careful(
    table: Lines, rows: list[str], numbers: list[int], names: list[str | None]
) -> tuple[Array, set[int], set[int]]:
    """Cell by cell: numbers, and which columns hold moments and which text."""
    width = len(names)
    cells = [table.cells(row) for row in rows]
    for line, row in zip(numbers, cells, strict=True):
        if len(row) != width:
            if len(row) > width and not any(row[width:]):
                continue
            raise table.error(f"{len(row)} values where {width} were expected", line=line)
    values = np.empty((len(rows), width))
    moments, texts = set[int](), set[int]()
    for column in range(width):
        held = [row[column] for row in cells]
        found = [table.number(cell) for cell in held]
        if None not in found:
            values[:, column] = np.array(found, dtype=np.float64)
            continue
        if all(is_missing(cell) or number is None for cell, number in zip(held, found, strict=True)):
            at = [math.nan if is_missing(cell) else moment(cell) for cell in held]
            if None not in at:
                moments.add(column)
                values[:, column] = unwrapped([value for value in at if value is not None])
            else:
                texts.add(column)
                values[:, column] = np.nan
            continue
        if names[column] is None:
            values[:, column] = np.nan
            continue
        bad = found.index(None)
        name = names[column] or f"column {column + 1}"
        raise table.error(
            f"{name} is {held[bad][:60]!r}; expected a number (or an empty cell, NaN, NA, null or - for a missing one)",
            line=numbers[bad],
            field=name,
        )
    return values, moments, texts


def _check_finite(table: Lines, values: Array, names: list[str | None], numbers: list[int]) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        row, column = (int(i) for i in np.argwhere(infinite)[0])
        name = names[column] or f"column {column + 1}"
        raise table.error(f"{name} is {values[row, column]}; expected a finite number", line=numbers[row], field=name)


def _unique(table: Lines, layout: Layout, names: list[str], places: list[int], notes: list[str]) -> list[str]:
    """Names for all columns, none twice."""
    unnamed = [i for i, name in enumerate(names) if not name]
    for i in unnamed:
        # The first one may be the numbers that pandas writes before each row: a name that is recognised as such.
        names[i] = "index" if places[i] == 0 and "index" not in names else f"column_{places[i] + 1}"
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated and not layout.unique:
        raise table.error(
            f"column names must be unique; repeated: {', '.join(repeated[:6])}; name each column differently",
            line=layout.header,
        )
    if repeated:
        seen: dict[str, int] = {}
        for i, name in enumerate(names):
            seen[name] = seen.get(name, 0) + 1
            names[i] = name if seen[name] == 1 else f"{name} ({seen[name]})"
        notes.append(f"names that stand for several columns are numbered: {', '.join(repeated[:6])}")
    later = [names[i] for i in unnamed if names[i] != "index"]
    if later:
        notes.append(f"columns without a name are called {', '.join(later[:5])}")
    return names
