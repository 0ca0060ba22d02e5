"""The headers that capture tools and their kin write: Motive, Nexus, Qualisys, DeepLabCut, OpenSim."""

from __future__ import annotations

import re
from collections.abc import Callable

from kineseg.motion.tables.dialect import Lines
from kineseg.motion.tables.layout import Layout, stacked

_NEXUS_SECTIONS = ("trajectories", "model outputs", "joints", "segments", "devices", "events")


def vendor_layout(table: Lines) -> Layout | None:
    """The layout of a file that begins as one of these tools writes it; None: it does not.

    Raises:
        MotionFileError: It does, and cannot be read; says what to export instead.
    """
    first = next((i for i, line in enumerate(table.lines) if line.strip()), None)
    if first is None:
        return None
    cells = [cell.lower() for cell in table.cells(table.lines[first])]
    word = cells[0] if cells else ""
    readers: tuple[tuple[bool, Callable[[Lines, int], Layout]], ...] = (
        (word == "format version", _motive),
        (word in _NEXUS_SECTIONS and not any(cells[1:]), _nexus),
        (word in ("no_of_frames", "no_of_cameras", "no_of_markers"), _qualisys),
        (word == "scorer", _deeplabcut),
        (table.lines[first].lstrip().lower().startswith("pathfiletype"), _trc),
        (any(line.strip().lower() == "endheader" for line in table.lines[first : first + 100]), _opensim),
    )
    for matches, reader in readers:
        if matches:
            return reader(table, first)
    return None


def _motive(table: Lines, first: int) -> Layout:
    keys = table.cells(table.lines[first])
    said = {key.lower(): value for key, value in zip(keys[::2], keys[1::2], strict=False)}
    rate = table.number(said.get("export frame rate", "")) or table.number(said.get("capture frame rate", ""))
    head = _line_starting(table, first + 1, "frame")
    if head is None:
        raise table.error("an OptiTrack Motive CSV without its line 'Frame,Time (Seconds),...': export it again")
    axes = table.cells(table.lines[head])
    above = [table.cells(table.lines[i]) for i in range(first + 1, head) if table.lines[i].strip()]
    above = [row + [""] * (len(axes) - len(row)) for row in above]
    named = [row for row in above if row[1].lower() == "name"]
    kinds, measures = (above[0], above[-1]) if above else ([], [])
    names = named[0] if named else above[1] if len(above) > 2 else []
    if not names or not any(cell.lower() == "position" for cell in measures):
        raise table.error(
            "an OptiTrack Motive CSV without positions: export it from Motive with positions of bones or markers"
        )
    places = [
        i for i in range(2, len(axes)) if measures[i].lower() == "position" and axes[i].lower() in ("x", "y", "z")
    ]
    kind = next(
        (
            kind
            for kind in ("bone", "rigid body", "marker", "bone marker")
            if any(kinds[i].lower() == kind for i in places)
        ),
        "",
    )
    places = [i for i in places if not kind or kinds[i].lower() == kind]
    columns: list[str | None] = [None] * len(axes)
    columns[:2] = axes[:2]
    for i in places:
        columns[i] = f"{names[i]}.{axes[i].lower()}"
    left_out = sum(name is None for name in columns)
    notes: tuple[str, ...] = (f"OptiTrack Motive CSV: positions of {len(places) // 3} {kind or 'marker'}s",)
    if left_out:
        notes = (*notes, f"{left_out} columns of rotations, errors and other objects are left out")
    return Layout(
        tuple(columns), head + 1, len(table.lines), head, rate=_usable(rate), notes=notes, unique=True, positions=True
    )


def _nexus(table: Lines, first: int) -> Layout:
    starts = (
        [
            i
            for i, line in enumerate(table.lines)
            if table.cells(line)[:1]
            and table.cells(line)[0].lower() in _NEXUS_SECTIONS
            and not any(table.cells(line)[1:])
        ]
        if len(table.lines) < 200_000
        else [first]
    )
    chosen = next((i for i in starts if table.cells(table.lines[i])[0].lower() == "trajectories"), starts[0])
    section = table.cells(table.lines[chosen])[0]
    rate_cell = table.cells(table.lines[chosen + 1])[0] if chosen + 1 < len(table.lines) else ""
    head = _line_starting(table, chosen + 1, "frame")
    if head is None or head == chosen + 1:
        raise table.error(
            f"a Vicon Nexus CSV whose section {section!r} has no line 'Frame,Sub Frame,X,Y,Z': export Trajectories "
            "again, or C3D",
            line=chosen,
        )
    names = stacked([table.cells(table.lines[head - 1]), table.cells(table.lines[head])])
    names[:2] = table.cells(table.lines[head])[:2]
    first_row = head + 1
    if first_row < len(table.lines) and not any(
        table.number(cell) is not None and cell for cell in table.cells(table.lines[first_row])
    ):
        first_row += 1  # the units
    end = next(
        (i for i in range(first_row, len(table.lines)) if not any(table.cells(table.lines[i]))), len(table.lines)
    )
    notes: tuple[str, ...] = (f"Vicon Nexus CSV: section {section!r}",)
    others = [table.cells(table.lines[i])[0] for i in starts if i != chosen]
    if others:
        notes = (*notes, f"other sections are left out: {', '.join(others)}")
    return Layout(
        tuple(names),
        first_row,
        end,
        head,
        rate=_usable(table.number(rate_cell)),
        notes=notes,
        unique=True,
        positions=section.lower() == "trajectories",
    )


def _qualisys(table: Lines, first: int) -> Layout:
    rate, markers, last = None, [], first
    for i in range(first, min(first + 60, len(table.lines))):
        cells = table.cells(table.lines[i])
        key = cells[0].lower() if cells else ""
        if key == "frequency" and len(cells) > 1:
            rate = table.number(cells[1])
        elif key == "marker_names":
            markers = [cell for cell in cells[1:] if cell]
        elif key in ("body_names", "segment_names", "skeleton_names"):
            raise table.error(
                f"a Qualisys TSV of {key.split('_')[0]} rotations; export 3D (markers) as TSV, or the skeleton as BVH",
                line=i,
            )
        if re.fullmatch(r"[a-z_]+", key) and key not in ("frame", "time"):
            last = i
    if not markers:
        raise table.error("a Qualisys TSV without MARKER_NAMES; export it from QTM with its header", line=first)
    expected = [f"{marker}.{axis}" for marker in markers for axis in "xyz"]
    row = next((i for i in range(last + 1, len(table.lines)) if table.lines[i].strip()), None)
    if row is None:
        raise table.error("a Qualisys TSV without frames", line=last)
    cells = table.cells(table.lines[row])
    lead: list[str] = []
    header = last
    if not table.number(cells[0]) and any(cell and table.number(cell) is None for cell in cells):
        lead = [cell for cell in cells if cell.lower() in ("frame", "time")]
        header, row = row, row + 1
    else:
        extra = len(cells) - len(expected) - (0 if cells[-1] else 1)
        lead = {1: ["Frame"], 2: ["Frame", "Time"]}.get(extra, [])
    return Layout(
        (*lead, *expected),
        row,
        len(table.lines),
        header,
        rate=_usable(rate),
        notes=(f"Qualisys TSV: positions of {len(markers)} markers",),
        unique=True,
        positions=True,
    )


def _deeplabcut(table: Lines, first: int) -> Layout:
    heads = [first]
    for i in range(first + 1, min(first + 5, len(table.lines))):
        word = table.cells(table.lines[i])[0].lower()
        if word in ("individuals", "bodyparts", "coords"):
            heads.append(i)
    rows = [table.cells(table.lines[i]) for i in heads]
    if len(rows) < 3 or rows[-1][0].lower() != "coords":
        raise table.error(
            "a DeepLabCut CSV without its lines 'bodyparts' and 'coords': write it again with DeepLabCut", line=first
        )
    names = stacked(rows[1:])
    names[0] = "frame"
    return Layout(
        tuple(names), heads[-1] + 1, len(table.lines), heads[-1], notes=("DeepLabCut CSV",), unique=True, positions=True
    )


def _trc(table: Lines, first: int) -> Layout:
    filled = [i for i in range(first, min(first + 20, len(table.lines))) if table.lines[i].strip()]
    head = next((i for i in filled if table.cells(table.lines[i])[0].lower().startswith("frame")), None)
    if head is None or len(filled) < 4:
        raise table.error("a TRC file without its line 'Frame#, Time, ...'; export it again", line=first)
    keys, values = (re.split(r"[\t ]+", table.lines[i].strip()) for i in filled[1:3])
    said = dict(zip((key.lower() for key in keys), values, strict=False))
    # Names are said once for three columns, whatever stands between them.
    markers = [cell for cell in table.cells(table.lines[head])[2:] if cell]
    names = ["Frame#", "Time", *(f"{marker}.{axis}" for marker in markers for axis in "xyz")]
    following = next((i for i in range(head + 1, len(table.lines)) if table.lines[i].strip()), None)
    if following is None:
        raise table.error("a TRC file without frames", line=head)
    first_row = following
    if re.match(r"\s*x1\b", table.lines[following], re.IGNORECASE):
        first_row += 1
    unit = said.get("units", "an unknown unit")
    return Layout(
        tuple(names),
        first_row,
        len(table.lines),
        head,
        rate=_usable(table.number(said.get("datarate", ""))),
        notes=(f"TRC: positions of {len(markers)} markers, in {unit}",),
        unique=True,
        positions=True,
    )


def _opensim(table: Lines, first: int) -> Layout:
    ends = next(i for i, line in enumerate(table.lines) if line.strip().lower() == "endheader")
    head = next((i for i in range(ends + 1, len(table.lines)) if table.lines[i].strip()), None)
    if head is None:
        raise table.error("an OpenSim table without columns", line=ends)
    return Layout(
        tuple(table.cells(table.lines[head])),
        head + 1,
        len(table.lines),
        head,
        notes=(f"OpenSim table {table.lines[first].strip()[:40]!r}: its columns are channels",),
        unique=True,
    )


def _line_starting(table: Lines, start: int, word: str) -> int | None:
    for i in range(start, min(start + 20, len(table.lines))):
        if table.cells(table.lines[i])[0].lower() == word:
            return i
    return None


def _usable(rate: float | None) -> float | None:
    return rate if rate is not None and 0.0 < rate < float("inf") else None
