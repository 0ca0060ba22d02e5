"""Blocks of numbers in text, parsed fast, with the offending line named when one does not parse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError


def parse_rows(
    lines: Sequence[str],
    *,
    path: Path,
    first_line: int,
    width: int,
    delimiter: str | None,
    fields: Sequence[str] = (),
) -> NDArray[np.float64]:
    """Numbers of equal-length rows; blank lines are skipped.

    Args:
        lines: One row each.
        path: Named in errors.
        first_line: The 1-based number of ``lines[0]`` in the file.
        width: Numbers expected in each row.
        delimiter: What stands between numbers; None is any white space.
        fields: Column names, for errors.

    Returns:
        ``(rows, width)``, finite.

    Raises:
        MotionFileError: A row of another length, something that is not a number, or a number that is not finite.
    """
    if not any(line.strip() for line in lines):
        return np.empty((0, width))
    try:
        values = np.loadtxt(lines, delimiter=delimiter, ndmin=2, comments=None, dtype=np.float64)
    except (ValueError, StopIteration):
        _name_bad_line(lines, path, first_line, width, delimiter, fields)
        raise MotionFileError("the numbers cannot be read", path=path, line=first_line) from None
    if values.size and (values.shape[1] != width or not np.isfinite(values).all()):
        _name_bad_line(lines, path, first_line, width, delimiter, fields)
    return values


def _name_bad_line(
    lines: Sequence[str],
    path: Path,
    first_line: int,
    width: int,
    delimiter: str | None,
    fields: Sequence[str],
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
            if not math.isfinite(value):
                raise MotionFileError(
                    f"{field} is {cell.strip()}; expected a finite number", path=path, line=number, field=field
                )
