"""Blocks of numbers in text, parsed fast, with the offending line named when one does not parse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        MotionFileError: Missing, a folder, empty, or not text.
    """
    require_file(path)
    data = path.read_bytes()
    if b"\0" in data[:4096]:
        raise MotionFileError("this is not a text file; expected text with numbers", path=path)
    text = data.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise MotionFileError("the file is empty", path=path)
    return text


def require_file(path: Path) -> None:
    """Check that there is something to read.

    Raises:
        MotionFileError: Missing, a folder, or empty.
    """
    if path.is_dir():
        raise MotionFileError("this is a folder; give one motion file", path=path)
    if not path.exists():
        raise MotionFileError("there is no such file", path=path)
    if path.stat().st_size == 0:
        raise MotionFileError("the file is empty", path=path)


def parse_rows(
    lines: Sequence[str],
    *,
    path: Path,
    first_line: int,
    width: int,
    delimiter: str | None,
    fields: Sequence[str] = (),
    missing: bool = False,
) -> NDArray[np.float64]:
    """Numbers of equal-length rows; blank lines are skipped.

    Args:
        lines: One row each.
        path: Named in errors.
        first_line: The 1-based number of ``lines[0]`` in the file.
        width: Numbers expected in each row.
        delimiter: What stands between numbers; None is any white space.
        fields: Column names, for errors.
        missing: Whether values may be missing: NaN, or nothing between two delimiters.

    Returns:
        ``(rows, width)``, finite, or NaN where a value is missing.

    Raises:
        MotionFileError: A row of another length, something that is not a number, or a number that is not finite.
    """
    if not any(line.strip() for line in lines):
        return np.empty((0, width))
    if missing and delimiter is not None:
        lines = [_with_nan(line, delimiter) for line in lines]
    try:
        values = np.loadtxt(lines, delimiter=delimiter, ndmin=2, comments=None, dtype=np.float64)
    except (ValueError, StopIteration):
        _name_bad_line(lines, path, first_line, width, delimiter, fields, missing)
        raise MotionFileError("the numbers cannot be read", path=path, line=first_line) from None
    bad = np.isinf(values) if missing else ~np.isfinite(values)
    if values.size and (values.shape[1] != width or bad.any()):
        _name_bad_line(lines, path, first_line, width, delimiter, fields, missing)
    return values


def _with_nan(line: str, delimiter: str) -> str:
    """The line with NaN for its empty cells, if it has any and is not blank."""
    cells = line.split(delimiter)
    if not line.strip() or all(cell.strip() for cell in cells):
        return line
    return delimiter.join(cell if cell.strip() else "nan" for cell in cells)


def _name_bad_line(
    lines: Sequence[str],
    path: Path,
    first_line: int,
    width: int,
    delimiter: str | None,
    fields: Sequence[str],
    missing: bool,
) -> None:
    for number, line in enumerate(lines, start=first_line):
        if not line.strip():
            continue
        cells = line.split(delimiter)
        if len(cells) != width:
            raise MotionFileError(f"{len(cells)} values where {width} were expected", path=path, line=number)
        for column, cell in enumerate(cells):
            field = fields[column] if column < len(fields) else f"column {column + 1}"
            try:
                value = float(cell)
            except ValueError:
                raise MotionFileError(
                    f"{field} is {cell.strip()!r}; expected a number", path=path, line=number, field=field
                ) from None
            if not (math.isfinite(value) or (missing and math.isnan(value))):
                raise MotionFileError(
                    f"{field} is {cell.strip()}; expected a finite number", path=path, line=number, field=field
                )
