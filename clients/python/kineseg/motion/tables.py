"""Reads CSV tables: one frame a row, usually under a header with channel names, perhaps with a time column."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.recording import Recording, Up
from kineseg.motion.text_numbers import parse_rows, read_text
from kineseg.motion.timing import rate_from_times, required_rate

_SECONDS = ("time", "timestamp", "timestamps", "t", "time_s", "timestamp_s")


def read_csv(path: str | Path, *, rate: float | None = None, up: Up = "y") -> Recording:
    """Read a CSV table.

    The header names the channels; where the first line is numbers already, they are ``channel_0`` and so on. A column
    ``time``, ``timestamp`` or ``t`` (seconds), or one ending in ``_ns`` (nanoseconds), gives the times and is not a
    channel. If all channels are ``<joint>.x``, ``<joint>.y`` and ``<joint>.z`` in turn, they are also joint positions.
    An empty cell, or NaN, is a missing value.

    Args:
        path: Separated by commas, semicolons or tabs.
        rate: Frames per second, instead of what the time column says; needed where there is none.
        up: The vertical axis of positions.

    Raises:
        MotionFileError: No rate, rows of different lengths, a missing time, or anything but finite numbers;
            names the line and the column.
    """
    file = Path(path)
    lines = read_text(file).splitlines()
    head = next(i for i, line in enumerate(lines) if line.strip())
    delimiter = max(",;\t", key=lines[head].count)
    names = [cell.strip() for cell in next(csv.reader([lines[head]], delimiter=delimiter))]
    rows = head  # where they begin
    if has_header(",".join(names)):
        _check_header(file, head + 1, names)
        rows += 1
    else:
        names = [f"channel_{i}" for i in range(len(names))]
    values = parse_rows(
        lines[rows:],
        path=file,
        first_line=rows + 1,
        width=len(names),
        delimiter=delimiter,
        fields=names,
        missing=True,
    )
    if not len(values):
        raise MotionFileError("a header but no frames", path=file, line=head + 1)
    column = _time_column(names)
    timestamps = None
    if column is not None:
        timestamps = values[:, column]
        if names[column].lower().endswith("_ns"):
            timestamps = (timestamps - timestamps[0]) * 1e-9
        from_times = rate_from_times(timestamps, path=file, field=names[column])
        rate = from_times if rate is None else rate
        values = np.delete(values, column, axis=1)
        names = [name for i, name in enumerate(names) if i != column]
        if not names:
            raise MotionFileError("a time column but no channels", path=file, line=head + 1)
    joints = _position_joints(names)
    return Recording(
        frames=values,
        rate=required_rate(rate, path=file, remedy="give a rate, or a column 'time' in seconds"),
        channels=tuple(names),
        timestamps=timestamps,
        positions=_positions(values, joints),
        name=file.stem,
        joints=joints,
        up=up,
    )


def has_header(first_line: str) -> bool:
    """Whether the first line of a table names columns, that is, whether any word of it is not a number."""
    for cell in first_line.replace(";", " ").replace(",", " ").split():
        try:
            float(cell)
        except ValueError:
            return True
    return False


def _check_header(file: Path, line: int, names: list[str]) -> None:
    if "" in names:
        raise MotionFileError(f"column {names.index('') + 1} has no name", path=file, line=line)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise MotionFileError(f"column names must be unique; repeated: {', '.join(repeated)}", path=file, line=line)


def _time_column(names: list[str]) -> int | None:
    for i, name in enumerate(names):
        if name.lower() in _SECONDS or name.lower().endswith("_ns"):
            return i
    return None


def _position_joints(names: list[str]) -> tuple[str, ...]:
    joints = [name.rsplit(".", 1)[0] for name in names[::3]]
    expected = [f"{joint}.{axis}" for joint in joints for axis in "xyz"]
    return tuple(joints) if [name.lower() for name in names] == [name.lower() for name in expected] else ()


def _positions(values: NDArray[np.float64], joints: tuple[str, ...]) -> NDArray[np.float64] | None:
    return values.reshape(len(values), len(joints), 3) if joints else None
