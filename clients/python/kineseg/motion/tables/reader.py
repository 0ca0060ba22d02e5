"""Reads tables in text: one frame a row, in whatever dialect, usually under a header, perhaps with times."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.canonical import CANONICAL_CHANNELS
from kineseg.motion.cmu import CMU_COLUMNS, could_be_cmu, from_cmu
from kineseg.motion.h36m import H36M_COLUMNS, could_be_h36m, from_h36m
from kineseg.motion.recording import Recording
from kineseg.motion.source_file import SourceFile
from kineseg.motion.tables.clock_columns import take_clock
from kineseg.motion.tables.columns import Columns, read_columns
from kineseg.motion.tables.dialect import Lines, find_dialect
from kineseg.motion.tables.joints import find_joint_columns
from kineseg.motion.tables.layout import plain_layout
from kineseg.motion.tables.vendors import vendor_layout
from kineseg.motion.time_names import time_name
from kineseg.motion.timing import required_rate

TableLayout = Literal["auto", "cmu", "h36m", "table", "positions"]
Array = NDArray[np.float64]

_SHOWN = 6  # names in a note


def read_table(source: SourceFile, *, rate: float | None, layout: TableLayout) -> Recording:
    """Read a table of numbers.

    Delimiter (comma, semicolon, tab, spaces), decimal commas, quotes, comments, a ``sep=`` line, one or several lines
    of header and a line of units are found out; so are the headers of OptiTrack Motive, Vicon Nexus, Qualisys,
    DeepLabCut and OpenSim. A column of times gives the rate and the times and is no channel, and neither is one that
    only counts frames. Columns that are the x, y and z of joints are positions as well.

    Args:
        source: The file.
        rate: Frames per second, as the user gives them.
        layout: What the columns are, where there is no header to say it; see `kineseg.motion.read`.

    Raises:
        MotionFileError: No rate, rows of different lengths, a missing time, or anything but finite numbers; names the
            line and the column.
    """
    table = find_dialect(source, source.text())
    said = vendor_layout(table) or plain_layout(table)
    columns = read_columns(table, said)
    if layout in ("cmu", "h36m"):
        return _expmap(table, columns, layout, rate, "as given")
    if layout == "auto" and not columns.named:
        width = columns.values.shape[1]
        for kind, expected, possible in (("cmu", CMU_COLUMNS, could_be_cmu), ("h36m", H36M_COLUMNS, could_be_h36m)):
            if width == expected and possible(columns.values):
                return _expmap(table, columns, kind, rate, "by the number and the values of its columns")
    if len(columns.names) == 1 and (time_name(columns.names[0]) or columns.moments):
        raise table.error("a time column but no channels", line=columns.header)
    rate_said = said.rate if rate is None else rate
    clock = take_clock(columns, path=source.path, rate=rate, rate_said=rate_said)
    joints, positions = _positions(table, columns, layout, certain=said.positions)
    return Recording(
        frames=columns.values,
        rate=required_rate(clock.rate, path=source.path, remedy=_rate_remedy(columns)),
        channels=tuple(columns.names),
        timestamps=clock.timestamps,
        positions=positions,
        name=source.name,
        joints=joints,
        notes=tuple(columns.notes),
    )


def _expmap(table: Lines, columns: Columns, kind: str, rate: float | None, why: str) -> Recording:
    expected = CMU_COLUMNS if kind == "cmu" else H36M_COLUMNS
    name = "CMU" if kind == "cmu" else "Human3.6M"
    if columns.values.shape[1] != expected:
        raise table.error(
            f"{columns.values.shape[1]} columns; exponential maps of {name} have {expected}: leave the layout out, or "
            "give layout='table' (--layout table)",
            field="layout",
        )
    missing = np.argwhere(np.isnan(columns.values))
    if missing.size:
        row, column = (int(i) for i in missing[0])
        filled = [i for i, line in enumerate(table.lines) if line.strip()]
        raise table.error(
            f"column {column + 1} is missing, but exponential maps of {name} cannot have holes; fill it in, or give "
            "layout='table' (--layout table)",
            line=filled[min(row + len(filled) - len(columns.values), len(filled) - 1)],
            field=f"column {column + 1}",
        )
    default = 120 if kind == "cmu" else 50
    note = f"read as exponential maps of {name}, {why}" + ("" if rate else f", at their {default} frames a second")
    make = from_cmu if kind == "cmu" else from_h36m
    return make(table.source, columns.values, rate, (*columns.notes, note))


def _positions(
    table: Lines, columns: Columns, layout: TableLayout, *, certain: bool
) -> tuple[tuple[str, ...], Array | None]:
    """The joints among the columns and their positions."""
    if layout == "table" or (layout == "auto" and set(columns.names) == set(CANONICAL_CHANNELS)):
        return (), None
    if layout == "positions" and not columns.named:
        return _unnamed_positions(table, columns)
    found = find_joint_columns(columns.names)
    if layout == "auto" and not columns.named and len(columns.names) in (CMU_COLUMNS, H36M_COLUMNS):
        columns.notes.append(
            f"{len(columns.names)} columns without names are read as channels, since they are no exponential maps; "
            f"--layout positions (layout='positions') reads them as x, y and z of {len(columns.names) // 3} points"
        )
    if not found.joints:
        if layout == "positions":
            raise table.error(
                "no columns that are x, y and z of joints: call them nose.x, nose.y, nose.z and so on", field="layout"
            )
        if certain:
            _drop_quality(columns)
        return (), None
    positions = np.stack([columns.values[:, list(axes)] for axes in found.places], axis=1)
    names = list(columns.names)
    if found.qualities:
        dropped = [names[i] for i in found.qualities]
        columns.drop(dropped)
        columns.notes.append(f"columns that say how well a joint was seen are left out: {_listed(dropped)}")
    if found.others:
        columns.notes.append(
            f"x, y and z of {len(found.joints)} joints ({_listed(found.joints)}) are read as positions; channels only: "
            f"{_listed([names[i] for i in found.others])}"
        )
    return found.joints, positions


def _unnamed_positions(table: Lines, columns: Columns) -> tuple[tuple[str, ...], Array]:
    width = len(columns.names)
    if width % 3:
        raise table.error(
            f"{width} columns are not x, y and z of joints: layout 'positions' wants three for each", field="layout"
        )
    joints = tuple(f"joint_{i}" for i in range(width // 3))
    columns.names = [f"{joint}.{axis}" for joint in joints for axis in "xyz"]
    columns.notes.append(f"{width} columns are read as x, y and z of {len(joints)} joints, joint_0 to {joints[-1]}")
    return joints, columns.values.reshape(len(columns.values), len(joints), 3)


def _drop_quality(columns: Columns) -> None:
    """Leave the certainty of points in the plane out: it is no motion."""
    dropped = [name for name in columns.names if name.lower().rsplit(".", 1)[-1] in ("likelihood", "score")]
    if dropped and len(dropped) < len(columns.names):
        columns.drop(dropped)
        columns.notes.append(f"columns that say how well a point was seen are left out: {_listed(dropped)}")


def _rate_remedy(columns: Columns) -> str:
    remedy = "give a rate (--rate on the command line), or a column 'time' in seconds"
    width = len(columns.names)
    if columns.named:
        return remedy
    if width in (CMU_COLUMNS, H36M_COLUMNS):
        name = "CMU" if width == CMU_COLUMNS else "Human3.6M"
        return (
            f"its {width} columns have no header and are not the exponential maps of {name} that have as many; "
            f"{remedy}; and, if they are x, y and z of {width // 3} points, layout='positions' (--layout positions)"
        )
    return remedy


def _listed(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
