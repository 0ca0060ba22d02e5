"""What the service is asked to reach: ``summary.json`` says of every figure what it is, what was asked, and whether it
holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evaluation.asked import Asked, Reached
from evaluation.quality.calibration import pooled
from evaluation.quality.headline import Headline
from evaluation.quality.results import FINAL, PROVISIONAL
from evaluation.quality.sets import SETS, TEMPOS

OPTICAL = ("takes", "mocap6")

Rows = Sequence[Headline]
Value = Callable[[Rows], float | None]


def reached(rows: Rows) -> list[Reached]:
    """All figures that are asked; shares from 0 to 1, seconds."""
    return [Reached(asked, value(rows)) for asked, value in ASKED]


def _share(set_name: str, figure: str, bound: float) -> tuple[Asked, Value]:
    return Asked(f"{set_name} {figure}", bound), lambda rows: _of(rows, set_name, FINAL, figure)


def _of(rows: Rows, set_name: str, method: str, figure: str) -> float | None:
    row = next((row.result.row(method) for row in rows if row.name == set_name), None)
    return None if row is None else row.score.shares.get(figure)


def _ahead(set_name: str) -> tuple[Asked, Value]:
    name = f"{set_name} minus best peer"
    return Asked(name, 0.0), lambda rows: next((row.ahead for row in rows if row.name == set_name), None)


def _idle_segments(rows: Rows) -> float | None:
    final = next((row.final for row in rows if row.name == "idle"), None)
    return None if final is None else float(max(final.segments))


def _optical_bf1(rows: Rows) -> float | None:
    each = [_of(rows, name, PROVISIONAL, "bf1") for name in OPTICAL]
    known = [value for value in each if value is not None]
    return float(np.mean(known)) if len(known) == len(OPTICAL) else None


def _optical_delay(rows: Rows) -> float | None:
    found = [row.provisional for row in rows if row.name in OPTICAL]
    delays = [delay for each in found if each is not None for delay in each.score.delays_s]
    return float(np.median(delays)) if len(found) == len(OPTICAL) and delays else None


def _final_delay(rows: Rows) -> float | None:
    delays = [delay for row in rows if row.final is not None for delay in row.final.score.delays_s]
    return float(np.median(delays)) if delays else None


def _longest_wait(rows: Rows) -> float | None:
    return max((wait for row in rows if row.final is not None for wait in row.final.waits_s), default=None)


def _calibration_error(rows: Rows) -> float | None:
    over_all = pooled([row.result.reliability for row in rows if row.result.reliability is not None])
    return None if over_all is None else over_all.error


def _repetition_error(rows: Rows) -> float | None:
    over_all = pooled([row.result.repetition for row in rows if row.result.repetition is not None])
    return None if over_all is None else over_all.error


ASKED: tuple[tuple[Asked, Value], ...] = (
    _share("takes", "bf1", 0.92),
    _share("takes", "mof", 0.88),
    *(_share(f"tempo-{tempo:g}", "bf1", 0.90) for tempo in TEMPOS),
    _share("mocap6", "bf1", 0.88),
    _share("bvh", "bf1", 0.88),
    _share("bvh", "mof", 0.88),
    _share("generated", "bf1", 0.95),
    _share("utkinect", "bf1@1s", 0.70),
    _share("utkinect", "mof", 0.78),
    _share("gesturephase", "bf1", 0.65),
    _share("hapt", "bf1", 0.72),
    _share("actrectut", "bf1", 0.55),
    _share("tssb", "covering", 0.80),
    (Asked("idle segments", 1.0, at_most=True), _idle_segments),
    (Asked("provisional optical mocap bf1", 0.82), _optical_bf1),
    (Asked("provisional optical mocap median delay", 0.8, at_most=True), _optical_delay),
    *(_ahead(name) for name in SETS),
    (Asked("median final delay", 2.8, at_most=True), _final_delay),
    (Asked("largest final delay", 4.0, at_most=True), _longest_wait),
    (Asked("expected calibration error", 0.05, at_most=True), _calibration_error),
    (Asked("expected calibration error of repetitions", 0.05, at_most=True), _repetition_error),
)
