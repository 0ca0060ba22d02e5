"""Bodies that do one thing after another: each action from a pool of the stream's own, blended into the next."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.streams.actions import Action, draw_action
from kineseg_training.default.boundary_network.streams.columns import CHANNELS, POSTURE
from kineseg_training.default.boundary_network.streams.curves import eased, log_uniform
from kineseg_training.default.boundary_network.streams.lengths import Lengths
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.movements import OneOff, Rest
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE, Truth

Array = NDArray[np.float64]
Plan = Iterator[tuple[Action, float, Hashable]]  # what, how many seconds, and what it is the same as

_POSTURAL_SHARE = 0.15  # of bodies that go from one quiet posture to the next
_NEUTRAL_SHARE, _NEUTRAL_TIMES = 0.4, 0.7  # of bodies that come to rest between actions, and how often these do
_BLEND_S = (0.15, 0.7)
_LARGEST_BLEND = 0.45  # of the segment
_ONE_OFF_S, _SLOW_WAY_S = (0.9, 3.0), (2.0, 4.0)
_ONSET = 0.1  # of a movement that starts from rest, after which it can be seen
_QUIET_S = (2.0, 20.0)


def body(rng: np.random.Generator, library: Library) -> tuple[Array, Truth]:
    """A body's ``(T, 59)`` canonical frames at `BODY_RATE`, and where one action ends and the next begins."""
    lengths = Lengths.drawn(rng)
    plan = _postural(rng, library, lengths) if rng.random() < _POSTURAL_SHARE else _mixed(rng, library, lengths)
    neutral = None
    if rng.random() < _NEUTRAL_SHARE:
        neutral = np.zeros(CHANNELS)
        neutral[:POSTURE] = library.posture(rng) if rng.random() < 0.3 else library.standing(rng)
    tempo = log_uniform(rng, 0.5, 2.0)
    made = _Body(rng, neutral)
    for action, seconds, same_as in plan:
        made.go_on(action, seconds, tempo, same_as)
    return made.frames(), made.truth()


def _mixed(rng: np.random.Generator, library: Library, lengths: Lengths) -> Plan:
    """Actions from a pool, never the same twice in a row."""
    pool = [draw_action(rng, library) for _ in range(int(rng.integers(2, 9)))]
    last, left_s = -1, lengths.total_s
    while left_s > min(lengths.low_s, _ONE_OFF_S[0]):
        choices = [i for i in range(len(pool)) if i != last]
        last = choices[rng.integers(len(choices))]
        seconds = lengths.one(rng)
        if pool[last].once:
            seconds = float(np.clip(seconds, *_ONE_OFF_S))
        yield pool[last], min(seconds, left_s), last
        left_s -= seconds


def _postural(rng: np.random.Generator, library: Library, lengths: Lengths) -> Plan:
    """Quiet postures with slow or brisk ways between them, each way a segment of its own; now and then an action."""
    postures = [library.mixed_posture(rng) for _ in range(int(rng.integers(2, 6)))]
    ways_s = _SLOW_WAY_S if rng.random() < 0.7 else _ONE_OFF_S
    at, planned_s = 0, 0.0
    yield Action(Rest(postures[0]), mirrored=False), log_uniform(rng, *_QUIET_S), at
    while planned_s < lengths.total_s:
        if rng.random() < 0.15:
            seconds = log_uniform(rng, *_QUIET_S)
            action = draw_action(rng, library)
            yield action, seconds, action
            planned_s += seconds
        before, at = at, (at + int(rng.integers(1, len(postures)))) % len(postures)
        way_s, quiet_s = rng.uniform(*ways_s), log_uniform(rng, *_QUIET_S)
        detour = rng.standard_normal(POSTURE) * rng.uniform(0.0, 0.1)
        yield Action(OneOff(postures[at], returns=False, detour=detour), mirrored=False), way_s, (before, at)
        yield Action(Rest(None), mirrored=False), quiet_s, at
        planned_s += way_s + quiet_s


class _Body:
    """Puts actions together and notes where one passes into the next."""

    def __init__(self, rng: np.random.Generator, neutral: Array | None) -> None:
        self._rng = rng
        self._neutral = neutral
        self._parts: list[Array] = []  # all of them but the last are finished
        self._count = 0
        self._boundaries: list[tuple[float, float]] = []
        self._certainty: list[float] = []
        self._actions: list[Hashable] = []
        self._late_s = 0.0  # how long before its end the last movement can be seen to end

    def go_on(self, action: Action, seconds: float, tempo: float, same_as: Hashable) -> None:
        """Does an action for so long; it is the same as all that was said to be `same_as` this."""
        n = int(seconds * BODY_RATE) + 1
        first = not self._parts
        goes_on = not first and (action.once or (isinstance(action.movement, Rest) and action.movement.posture is None))
        start = None if first else self._parts[-1][-1, :POSTURE]
        if first or goes_on:
            frames = action.take(self._rng, n, tempo, start)
            if goes_on:
                onset_s = _ONSET * seconds if action.once else 0.0
                half = max(onset_s, self._late_s, 1.0 / BODY_RATE)
                self._boundaries.append((self._count / BODY_RATE + onset_s - self._late_s, half))
            self._append(frames)
        else:
            blend = int(min(log_uniform(self._rng, *_BLEND_S), _LARGEST_BLEND * seconds) * BODY_RATE)
            blend = max(2, min(blend, len(self._parts[-1]) - 1))
            self._blend_into(action.take(self._rng, n + blend, tempo, start), blend)
        self._late_s = _ONSET * seconds if action.once else 0.0
        self._certainty.append(action.certainty)
        self._actions.append(same_as)

    def frames(self) -> Array:
        """``(T, 59)`` so far."""
        return np.concatenate(self._parts)

    def truth(self) -> Truth:
        """The boundaries so far."""
        return Truth.of(self._boundaries, self._certainty, self._actions)

    def _append(self, frames: Array) -> None:
        self._parts.append(frames)
        self._count += len(frames)

    def _blend_into(self, frames: Array, blend: int) -> None:
        share, last = eased(blend), self._parts[-1]
        if self._neutral is not None and self._rng.random() < _NEUTRAL_TIMES:
            rest = int(self._rng.uniform(0.05, 0.6) * BODY_RATE)
            last[-blend:] += (self._neutral - last[-blend:]) * share
            frames[:blend] = self._neutral + (frames[:blend] - self._neutral) * share
            self._boundaries.append(((self._count + rest / 2) / BODY_RATE, (rest / 2 + blend) / BODY_RATE))
            frames = np.concatenate([np.repeat(self._neutral[None], rest, axis=0), frames])
        else:
            last[-blend:] += (frames[:blend] - last[-blend:]) * share
            self._boundaries.append(((self._count - blend / 2) / BODY_RATE, blend / 2 / BODY_RATE))
            frames = frames[blend:]
        self._append(frames)
