"""Made streams of actions, and of movement, as they go into the monitor of behaviour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.events import AnomalyCleared, AnomalyRaised
from kineseg_core.intake.watch import AnomalyFound, Place
from numpy.typing import NDArray

LENGTHS_S = (8.0, 14.0, 22.0, 11.0)
"""Of the actions of a cycle."""
KNOWN_AFTER_S = 1.5
RATE_HZ = 20.0
CHANNELS = tuple(
    f"{side}_{joint}.{axis}" for side in ("left", "right") for joint in ("ankle", "wrist") for axis in "xyz"
)


@dataclass(frozen=True)
class Made:
    """An action: its label and its length, seconds."""

    label: int
    length_s: float


def cycles(count: int, seed: int = 0, spread: float = 0.1) -> list[Made]:
    """So many times the same actions in the same order, whose lengths differ a little."""
    random = np.random.default_rng(seed)
    return [
        Made(label, float(length_s * np.exp(random.normal(0.0, spread))))
        for _ in range(count)
        for label, length_s in enumerate(LENGTHS_S)
    ]


def steps(actions: Sequence[Made]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What the monitor is called with, in order: its method and the arguments."""
    begin_s, frame = 0.0, 0
    for action in actions:
        start, end = place(begin_s), place(begin_s + action.length_s)
        yield "begins", (action.label, "", start)
        known_s = begin_s + action.length_s + KNOWN_AFTER_S
        while frame < known_s:
            yield "settle", (place(float(frame)),)
            frame += 1
        now = place(known_s)
        yield "ends", (action.label, "", start, end, now)
        begin_s += action.length_s
    yield "settle", (place(begin_s + KNOWN_AFTER_S),)


def reported(actions: Sequence[Made], per_hour: float = 6.0) -> list[AnomalyFound]:
    """All that is said of these actions."""
    monitor = BehaviourMonitor(per_hour)
    found: list[AnomalyFound] = []
    for name, arguments in steps(actions):
        found += getattr(monitor, name)(*arguments) or []
    end = place(sum(action.length_s for action in actions) + 60.0)
    return found + monitor.finish(end, end)


def kinds(found: Iterable[AnomalyFound]) -> list[str]:
    """The kinds of what is raised."""
    return [each.detail.anomaly_kind.value for each in found if isinstance(each.detail, AnomalyRaised)]


def raised(found: Iterable[AnomalyFound], kind: str) -> list[AnomalyFound]:
    """What is raised of a kind."""
    return [each for each in found if isinstance(each.detail, AnomalyRaised) and each.detail.anomaly_kind.value == kind]


def cleared(found: Iterable[AnomalyFound], kind: str) -> list[AnomalyCleared]:
    """What is cleared of a kind."""
    return [
        each.detail
        for each in found
        if isinstance(each.detail, AnomalyCleared) and each.detail.anomaly_kind.value == kind
    ]


def place(time_s: float) -> Place:
    """A frame and its time."""
    return round(time_s * RATE_HZ), round(time_s * 1e9)


def movement(
    length_s: float, seed: int, *, period_s: float = 1.0, size: float = 1.0, left: float = 1.0, noise: float = 0.05
) -> NDArray[np.float32]:
    """``(T, C)`` ankles and wrists that swing, the left ones so many times as far."""
    random = np.random.default_rng(seed)
    t = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    wander = 0.03 * np.sin(2.0 * np.pi * t / 7.3)
    phase = 2.0 * np.pi * (t / period_s + wander)
    columns = [
        size * (left if name.startswith("left") else 1.0) * np.sin(phase + column)
        for column, name in enumerate(CHANNELS)
    ]
    values = np.stack(columns, axis=1) + noise * random.standard_normal((len(t), len(columns)))
    return values.astype(np.float32)


def reported_of_movement(
    parts: Sequence[tuple[int, NDArray[np.float32]]], per_hour: float = 30.0
) -> list[AnomalyFound]:
    """All that is said of actions that are done one after another: their labels and frames."""
    monitor = BehaviourMonitor(per_hour, CHANNELS, RATE_HZ, latency_s=2.0)
    found: list[AnomalyFound] = []
    late = round(KNOWN_AFTER_S * RATE_HZ)
    begins, frame = 0, 0
    pending: list[tuple[int, int, int]] = []  # label, start, end: over, and not known yet
    for label, frames in parts:
        for at, values in enumerate(frames):
            now = place(frame / RATE_HZ)
            monitor.push(values, now)
            if pending and frame == pending[0][2] + late:
                done, start, end = pending.pop()
                monitor.ends(done, "", place(start / RATE_HZ), place(end / RATE_HZ), now)
            if at == (late if begins else 0):
                monitor.begins(label, "", place(begins / RATE_HZ))
            found += monitor.settle(now)
            frame += 1
        pending.append((label, begins, frame))
        begins = frame
    end = place(frame / RATE_HZ)
    return found + monitor.finish(end, end)
