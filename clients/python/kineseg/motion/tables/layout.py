"""Where the rows of a table begin and what its columns are called, as its header says it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from kineseg.motion.tables.cells import is_missing, moment
from kineseg.motion.tables.dialect import Lines
from kineseg.motion.time_names import unit_of

_UNIT_WORDS = frozenset(
    (
        *("s", "sec", "ms", "us", "ns", "m", "mm", "cm", "dm", "km", "in", "inch", "ft", "deg", "rad", "°", "degrees"),
        *("radians", "m/s", "mm/s", "cm/s", "m/s2", "m/s^2", "m/s²", "m/sec^2", "g", "mg", "deg/s", "rad/s", "°/s"),
        *("dps", "n", "nm", "n.m", "nmm", "n/kg", "w", "v", "mv", "uv", "µv", "ut", "µt", "gauss", "px", "pixel"),
        *("pixels", "hz", "bpm", "%", "count", "counts", "unit", "units", "au", "a.u.", "-", "none", "c", "°c", "k"),
        *("pa", "kpa", "bar", "l/min"),
    )
)
_RATE = re.compile(
    r"(?:(?:sampl\w*|frame|capture|update|data|camera|output)[ _]*(?:rate|freq\w*)|\bfps|\bfrequency)"
    r"(?:\s*[\[(]?\s*hz\s*[\])]?)?\W+(\d+(?:[.,]\d+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Layout:
    """What a header says.

    Attributes:
        names: Of the columns; None for one to be left out. Empty: there is no header.
        first_row: Line (0-based) of the first row of numbers.
        end: Line after the last row.
        header: Line of the header, for errors.
        rate: Frames per second, if it says them.
        notes: What was left out, for people.
        unique: Whether equal names may be distinguished by numbers.
        positions: Whether the names say for certain that the columns are positions in space.
    """

    names: tuple[str | None, ...]
    first_row: int
    end: int
    header: int
    rate: float | None = None
    notes: tuple[str, ...] = ()
    unique: bool = False
    positions: bool = False


def plain_layout(table: Lines) -> Layout:
    """The layout of a table with none, one or several rows of header.

    Raises:
        MotionFileError: There are no rows of numbers.
    """
    filled = [i for i, line in enumerate(table.lines) if line.strip()]
    if not filled:
        raise table.error("nothing but comments: no rows of numbers")
    numeric, width = _numeric_columns(table, filled)
    first = next((i for i in filled if _is_row(table, i, numeric)), None)
    if first is None:
        if len(filled) == 1:
            raise table.error("a header but no frames", line=filled[0])
        raise table.error(
            f"no rows of numbers: line 1 is {table.lines[filled[0]].strip()[:60]!r}; expected a table with one frame a "
            "row, separated by commas, semicolons, tabs or spaces",
        )
    heads = [i for i in filled if i < first]
    end = len(table.lines)
    if heads:
        return _with_header(table, heads, first, end, width)
    comment = _comment_header(table, first, width)
    if comment is not None:
        return Layout(tuple(comment), first, end, first)
    counted = [str(i) for i in range(width)]
    row = table.cells(table.lines[first])
    rest = row[1:] if row[:1] == [""] else row
    if len(rest) >= 3 and rest == counted[: len(rest)] and len(filled) > 1:  # pandas, of columns without names
        names = [f"channel_{i}" for i in range(len(rest))]
        following = next(i for i in filled if i > first)
        note = "the first line counts 0, 1, 2, ...: it is taken as the names of the columns"
        return Layout((*(("",) if len(rest) < len(row) else ()), *names), following, end, first, notes=(note,))
    return Layout((), first, end, first)


def _numeric_columns(table: Lines, filled: list[int]) -> tuple[set[int], int]:
    """Which columns hold numbers in most of the rows further down, and how many columns there are."""
    sample = [table.cells(table.lines[i]) for i in filled[:60]]
    sample = sample[len(sample) // 2 :]
    width = Counter(map(len, sample)).most_common(1)[0][0]
    numeric = set()
    for column in range(width):
        cells = [row[column] for row in sample if column < len(row) and not is_missing(row[column])]
        if cells and 2 * sum(_is_number(table, cell) for cell in cells) >= len(cells):
            numeric.add(column)
    return numeric, width


def _is_number(table: Lines, cell: str) -> bool:
    return table.number(cell) is not None or moment(cell) is not None


def _is_row(table: Lines, line: int, numeric: set[int]) -> bool:
    cells = table.cells(table.lines[line])
    held = [cells[column] for column in numeric if column < len(cells)]
    numbers = sum(not is_missing(cell) and _is_number(table, cell) for cell in held)
    values = sum(is_missing(cell) or _is_number(table, cell) for cell in held)
    return numbers > 0 and 2 * values >= len(numeric)


def _comment_header(table: Lines, first: int, width: int) -> list[str] | None:
    """The names out of the last comment above the rows, as numpy.savetxt writes them."""
    above = [text for i, text in table.comments if i < first]
    if not above:
        return None
    names = table.cells(above[-1].lstrip().lstrip("#%/").strip(" "))
    return names if len(names) == width and not all(_is_number(table, name) for name in names) else None


def _with_header(table: Lines, heads: list[int], first: int, end: int, width: int) -> Layout:
    rate, notes = _rate_above(table, heads)
    rows = [(i, table.cells(table.lines[i])) for i in heads]
    if len(rows) > 1:
        fitting = [(i, cells) for i, cells in rows if len(cells) >= max(width - 1, 2) and sum(map(bool, cells)) > 1]
        rows = fitting or rows[-1:]
    units: list[str] = []
    if len(rows) > 1 and all(_is_unit(cell) for cell in rows[-1][1]):
        units = rows.pop()[1]
    line = rows[-1][0]
    if len(rows) == 1:
        names = rows[0][1]
    else:
        names = stacked([cells for _, cells in rows])
        notes = (*notes, f"{len(rows)} lines of names are joined, such as {names[-1]!r}")
    if units:
        names = [
            f"{name} [{unit.strip('[]() ')}]"
            if unit and unit_of(unit) and "(" not in name and "[" not in name
            else name
            for name, unit in zip(names, [*units, *[""] * len(names)], strict=False)
        ]
    return Layout(tuple(names), first, end, line, rate=rate, notes=notes)


def _is_unit(cell: str) -> bool:
    bare = cell.strip().lower()
    return not bare or bare.strip("[]()") in _UNIT_WORDS or (bare[0] in "[(" and bare[-1] in "])")


def stacked(rows: list[list[str]], *, joiner: str = ".") -> list[str]:
    """One name a column out of several rows of names, the upper ones said once for several columns."""
    width = max(map(len, rows))
    padded = [row + [""] * (width - len(row)) for row in rows]
    filled = [_forward(row) for row in padded[:-1]] + [padded[-1]]
    informative = [row for row in filled if len({cell for cell in row[1:] if cell}) > 1] or filled[-1:]
    names = []
    for column in range(width):
        parts = [row[column] for row in (informative if column else padded)]
        parts = [part for i, part in enumerate(parts) if part and part not in parts[:i]]
        names.append(joiner.join(parts if column else parts[-1:]))
    return names


def _forward(row: list[str]) -> list[str]:
    """The row with each cell said until the next one; not over the first columns, which are empty above numbers."""
    out, last = [], ""
    for cell in row:
        last = cell or last
        out.append(last)
    return out


def _rate_above(table: Lines, heads: list[int]) -> tuple[float | None, tuple[str, ...]]:
    for i in heads[:-1]:
        found = _RATE.search(table.lines[i])
        if found is not None:
            rate = float(found[1].replace(",", "."))
            if rate > 0:
                return rate, (f"the rate, {rate:g}, is from line {i + 1}: {table.lines[i].strip()[:60]!r}",)
    return None, ()
