"""`kineseg stream --check`: what comes, in words and as a stick figure."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from kineseg.motion import CANONICAL_JOINTS, MotionError
from kineseg.motion.joint_mapping import REQUIRED_JOINTS, find_joints
from kineseg.motion.joint_tree import tree_of
from kineseg.sources import Frames, Source
from kineseg.sources.body import Body
from numpy.typing import NDArray
from rich.console import Console

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.interrupt import Stop
from kineseg_cli.live.run import SILENT_S
from kineseg_cli.standard_output import print_line

_LOOKED_S = 5.0
_PATIENCE_S = 60.0
_ROWS, _COLUMNS = 18, 40  # of the figure, in characters


async def check_source(source: Source, errors: ErrorConsole, *, stop: Stop, duration_s: float | None) -> bool:
    """Look at a source for some seconds, and print what is seen; whether it can be segmented."""
    seen: dict[str, list[Frames]] = {}

    async def read() -> None:
        async for frames in source:
            pieces = seen.setdefault(frames.info.performer, [])
            if pieces and pieces[-1].info is not frames.info:
                pieces.clear()
            pieces.append(frames)

    lasts = duration_s or _LOOKED_S
    async with source:
        errors.print_line(f"listening to {source.where}")
        reading = asyncio.create_task(read())
        began, said = time.monotonic(), 0.0
        first: float | None = None
        while not (reading.done() or stop.is_set()):
            now = time.monotonic()
            first = first or (now if seen else None)
            if (first is not None and now - first >= lasts) or now - began > max(_PATIENCE_S, lasts):
                break
            if first is None and now - began >= SILENT_S and now - said >= 2 * SILENT_S:
                said = now
                errors.print_line(source.silence())
            await asyncio.sleep(0.05)
        if not reading.done():
            reading.cancel()
        [failure] = await asyncio.gather(reading, return_exceptions=True)
        health, silence = source.health(), source.silence()
    if isinstance(failure, Exception):
        raise failure
    if not seen:
        errors.print_line(silence)
        return False
    good = True
    for performer, pieces in seen.items():
        good = _print_performer(performer, pieces) and good
    print_line(
        f"arriving: {health.arriving:.4g} frames a second, jitter {1000 * health.jitter_s:.1f} ms, "
        f"loss {100 * health.loss:.1f} %, {health.late} late, {health.unreadable} of {health.messages} messages "
        "unreadable"
    )
    return good


def _print_performer(performer: str, pieces: list[Frames]) -> bool:
    info = pieces[-1].info
    frames = sum(piece.n_frames for piece in pieces)
    claimed = f", the sender claims {info.claimed_rate:g}" if info.claimed_rate else ""
    print_line(
        f"{performer or 'source'}: {frames} frames, {info.measured_rate:.4g} a second{claimed}; taken: {info.rate:g}; "
        f"times by {'the sender' if info.clock == 'sender' else 'arrival'}"
    )
    for note in info.notes:
        print_line(f"  note: {note}")
    if info.joints is None:
        print_line(f"  channels ({len(info.channels)}): {', '.join(info.channels)}")
        return True
    joints = info.joints
    values = np.concatenate([piece.values for piece in pieces])
    try:
        found = find_joints(tuple(joints.names), joints.mapping)
    except MotionError as error:
        print_line(f"  {error}")
        return False
    body = Body.of(joints, values, True, joints.up)
    height = "unknown" if body.height is None else f"{body.height:.3g} {joints.unit or 'units'}"
    metres = f" ({body.metres:.2f} m)" if body.metres is not None and joints.unit != "m" else ""
    print_line(f"  up: {joints.up}; unit: {joints.unit or 'unknown'}; height while standing: {height}{metres}")
    print_line("  joints found: " + ", ".join(f"{name} = {joints.names[at]}" for name, at in found.items()))
    missing = [name for name in CANONICAL_JOINTS if name not in found]
    needed = [name for name in missing if name in REQUIRED_JOINTS]
    if missing:
        print_line(f"  joints missing: {', '.join(missing)}")
    if needed:
        print_line(f"  needed, so this cannot be segmented as a body: {', '.join(needed)}; --mapping FILE names them")
    if not needed:
        Console().print("\n".join(_figure(values[-1], tuple(joints.names), joints.up)), markup=False, highlight=False)
    return not needed


def _figure(points: NDArray[np.float32], names: tuple[str, ...], up: str) -> list[str]:
    """The body as its joints stand, seen along the axis that shows most of it."""
    vertical = "xyz".index(up)
    others = [axis for axis in range(3) if axis != vertical]
    seen: NDArray[np.bool_] = np.isfinite(points).all(axis=-1).reshape(-1)
    if seen.sum() < 2:
        return []
    spread = [float(np.ptp(points[seen, axis])) for axis in others]
    across = others[int(np.argmax(spread))]
    scale = max(float(np.ptp(points[seen, vertical])) / (_ROWS - 1), max(spread) / (_COLUMNS - 1) * 2, 1e-9)
    top, left = float(points[seen, vertical].max()), float(points[seen, across].min())
    canvas = [[" "] * (_COLUMNS + 2) for _ in range(_ROWS + 1)]

    def place(point: NDArray[np.floating], letter: str) -> None:
        row, column = round((top - float(point[vertical])) / scale), round((float(point[across]) - left) / scale * 2)
        if 0 <= row < len(canvas) and 0 <= column < len(canvas[0]) and canvas[row][column] != "o":
            canvas[row][column] = letter

    for point in points[seen]:
        place(point, "o")
    for joint, parent in enumerate(tree_of(names)):
        if parent >= 0 and seen[joint] and seen[parent]:
            for share in np.linspace(0.0, 1.0, 12):
                place(points[joint] * (1 - share) + points[parent] * share, ".")
    return ["  " + "".join(row).rstrip() for row in canvas]
