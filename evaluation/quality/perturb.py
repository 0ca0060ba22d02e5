"""The same motion under other circumstances: filmed at another rate, played faster, with lost frames or joints ..."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from kineseg.motion import Recording, Skeleton
from kineseg.motion.joint_mapping import map_joints, split_joint_name
from numpy.typing import NDArray

Array = NDArray[np.float64]

DROPPED_SHARE = 0.05
STAMP_JITTER = 0.4  # of a frame period, to either side
# One joint fails for this long, and again this long after it failed before, seconds.
EPISODE_S, EVERY_S = 4.0, 20.0
_FAILING = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("wrist", "elbow", "ankle", "knee"))
# Another person: lengths of the parts of the body, against the one who was captured.
_PROPORTIONS = {"legs": 1.12, "arms": 0.88, "trunk": 0.95}


@dataclass(frozen=True, eq=False)
class Perturbed:
    """What is sent instead of a recording.

    Attributes:
        recording: The motion as it arrives; NaN where a joint was not seen.
        numbers: ``(T,)`` the frames' numbers in the stream, where some were left out; None: none were.
        tempo: How many times faster it goes than the recording that it was made from.
        timed: Whether capture times are sent along.
    """

    recording: Recording
    numbers: NDArray[np.int64] | None = None
    tempo: float = 1.0
    timed: bool = False


@dataclass(frozen=True)
class Perturbation:
    """One circumstance.

    Attributes:
        name: Short and unique.
        what: For people.
        apply: Makes the motion under this circumstance, all randomness from the generator given.
    """

    name: str
    what: str
    apply: Callable[[Recording, np.random.Generator], Perturbed]


def played(recording: Recording, *, tempo: float = 1.0, rate: float | None = None) -> Perturbed:
    """Played `tempo` times as fast and filmed at `rate`: positions are read between frames."""
    rate = rate or recording.rate
    positions = _positions(recording)
    step = tempo * recording.rate / rate
    at = np.arange(int((len(positions) - 1) / step) + 1) * step
    below = np.minimum(at.astype(np.int64), len(positions) - 2)
    share = (at - below)[:, None, None]
    return Perturbed(
        _moving(recording, positions[below] * (1.0 - share) + positions[below + 1] * share, rate=rate), tempo=tempo
    )


def dropped(recording: Recording, rng: np.random.Generator, *, timed: bool) -> Perturbed:
    """Frames are lost at random; their numbers show it, or (`timed`) the capture times do."""
    kept = np.flatnonzero(rng.random(recording.n_frames) >= DROPPED_SHARE)
    kept = np.union1d(kept, [0, recording.n_frames - 1])
    moved = _moving(recording, _positions(recording)[kept], timestamps=recording.times()[kept])
    return Perturbed(moved, timed=True) if timed else Perturbed(moved, numbers=kept)


def badly_stamped(recording: Recording, rng: np.random.Generator) -> Perturbed:
    """Every capture time is off by up to `STAMP_JITTER` of a frame period."""
    off = rng.uniform(-STAMP_JITTER, STAMP_JITTER, recording.n_frames) / recording.rate
    return Perturbed(_moving(recording, _positions(recording), timestamps=recording.times() + off), timed=True)


def shakily_captured(recording: Recording, rng: np.random.Generator) -> Perturbed:
    """Every frame is captured up to `STAMP_JITTER` of a frame period off its time, and its capture time says so."""
    off = rng.uniform(-STAMP_JITTER, STAMP_JITTER, recording.n_frames)
    at = np.clip(np.arange(recording.n_frames) + off, 0.0, recording.n_frames - 1.0)
    at[0] = 0.0
    positions = _positions(recording)
    below = np.minimum(at.astype(np.int64), len(positions) - 2)
    share = (at - below)[:, None, None]
    positions = positions[below] * (1.0 - share) + positions[below + 1] * share
    return Perturbed(_moving(recording, positions, timestamps=at / recording.rate), timed=True)


def frozen(recording: Recording, rng: np.random.Generator) -> Perturbed:
    """Now and then one joint stays where it was in the world."""
    positions = _positions(recording).copy()
    for joint, start, stop in failures(recording, rng):
        positions[start:stop, joint] = positions[start, joint]
    return Perturbed(_moving(recording, positions))


def lost(recording: Recording, rng: np.random.Generator) -> Perturbed:
    """Now and then one joint is not seen."""
    positions = _positions(recording).copy()
    for joint, start, stop in failures(recording, rng):
        positions[start:stop, joint] = np.nan
    return Perturbed(_moving(recording, positions))


def failures(recording: Recording, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Which joint fails from which frame up to which, at least once."""
    found = map_joints(recording.joints)
    starts = np.arange(EVERY_S / 2, max(recording.duration_s - EPISODE_S, EVERY_S / 2 + 1), EVERY_S)
    return [
        (found[str(rng.choice(_FAILING))], round(s * recording.rate), round((s + EPISODE_S) * recording.rate))
        for s in starts + rng.uniform(0.0, EVERY_S / 4, len(starts))
    ]


def mirrored(recording: Recording) -> Perturbed:
    """As a mirror shows it: left and right change places."""
    positions = _positions(recording).copy()
    positions[..., 0] *= -1.0
    keys = [split_joint_name(name) for name in recording.joints]
    other = {"left": "right", "right": "left", None: None}
    source = [keys.index((other[side], joint)) if (other[side], joint) in keys else i
              for i, (side, joint) in enumerate(keys)]  # fmt: skip
    return Perturbed(_moving(recording, positions[:, source]))


def turned(recording: Recording, degrees: float) -> Perturbed:
    """Facing another way, somewhere else in the room."""
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    across, along = (0, 2) if recording.up == "y" else (1, 0)
    positions = _positions(recording).copy()
    x, z = positions[..., across].copy(), positions[..., along].copy()
    positions[..., across], positions[..., along] = cos * x + sin * z, cos * z - sin * x
    return Perturbed(_moving(recording, positions))


def moved(recording: Recording, sizes: float) -> Perturbed:
    """Everything happens so many times the body's extent away."""
    positions = _positions(recording)
    extent = float(np.ptp(positions[0], axis=0).max())
    shift = np.full(3, sizes * extent)
    shift[1 if recording.up == "y" else 2] = 0.0
    return Perturbed(_moving(recording, positions + shift))


def resized(recording: Recording, factor: float) -> Perturbed:
    """A larger or smaller person, or other units of length."""
    return Perturbed(_moving(recording, _positions(recording) * factor, skeleton=_scaled(recording, factor)))


def reproportioned(recording: Recording) -> Perturbed:
    """Another person makes the same movements: longer legs, shorter arms, a shorter trunk."""
    skeleton = recording.skeleton
    if skeleton is None or skeleton.names != recording.joints:
        raise ValueError(f"{recording.name}: without a skeleton there are no limbs to make longer")
    factors = np.array([_PROPORTIONS[part] for part in _parts(skeleton)])
    positions = _positions(recording)
    out = np.empty_like(positions)
    out[:, 0] = positions[:, 0] * _PROPORTIONS["legs"]  # longer legs carry higher and further
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        out[:, joint] = out[:, parent] + factors[joint] * (positions[:, joint] - positions[:, parent])
    return Perturbed(_moving(recording, out, skeleton=_scaled(recording, factors[:, None])))


def _parts(skeleton: Skeleton) -> list[str]:
    """For every joint the part of the body that the bone towards it belongs to."""
    found = map_joints(skeleton.names)
    begins = {found[f"{side}_{joint}"]: part
              for side in ("left", "right") for joint, part in (("elbow", "arms"), ("knee", "legs"))}  # fmt: skip
    parts: list[str] = []
    for joint, parent in enumerate(skeleton.parents):
        parts.append(begins.get(joint, "trunk" if parent < 0 else parts[parent]))
    return parts


def _scaled(recording: Recording, factor: float | Array) -> Skeleton | None:
    skeleton = recording.skeleton
    return None if skeleton is None else replace(skeleton, offsets=skeleton.offsets * factor)


def _positions(recording: Recording) -> Array:
    if recording.positions is None:
        raise ValueError(f"{recording.name}: has no joint positions")
    return np.asarray(recording.positions)


def _moving(
    recording: Recording,
    positions: Array,
    *,
    rate: float | None = None,
    timestamps: Array | None = None,
    skeleton: Skeleton | None = None,
) -> Recording:
    """A recording of these positions by the same source; what it was annotated with stays with the original."""
    return Recording(
        frames=positions.reshape(len(positions), -1),
        rate=rate or recording.rate,
        channels=tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz"),
        skeleton=skeleton or recording.skeleton,
        timestamps=timestamps,
        positions=positions,
        joints=recording.joints,
        up=recording.up,
        name=recording.name,
        synthetic=True,
    )


def _plain(name: str, what: str, function: Callable[[Recording], Perturbed]) -> Perturbation:
    """One without chance."""
    return Perturbation(name, what, lambda recording, _: function(recording))


PERTURBATIONS: tuple[Perturbation, ...] = (
    _plain("turned", "facing another way (130 degrees)", partial(turned, degrees=130.0)),
    _plain("moved", "50 body lengths away", partial(moved, sizes=50.0)),
    _plain("size-0.6", "a body of 0.6 times the size", partial(resized, factor=0.6)),
    _plain("size-100", "other units: 100 times the size", partial(resized, factor=100.0)),
    _plain("proportions", "legs 12 % longer, arms 12 % and trunk 5 % shorter", reproportioned),
    _plain("mirrored", "left and right change places", mirrored),
    *(
        _plain(f"rate-{r:g}", f"{r:g} frames a second", partial(played, rate=r))
        for r in (24.0, 30.0, 60.0, 120.0, 240.0)
    ),
    *(_plain(f"tempo-{t:g}", f"{t:g} times as fast", partial(played, tempo=t)) for t in (0.6, 0.8, 1.25, 1.6)),
    Perturbation("dropped-numbered", "5 % of the frames lost, frame numbers say so", partial(dropped, timed=False)),
    Perturbation("dropped-timed", "5 % of the frames lost, capture times say so", partial(dropped, timed=True)),
    Perturbation("jitter-stamps", "capture times wrong by up to 40 % of a frame", badly_stamped),
    Perturbation("jitter-capture", "captured up to 40 % of a frame off the beat, and stamped so", shakily_captured),
    Perturbation("joint-frozen", "one joint stays where it was, 4 s in every 20 s", frozen),
    Perturbation("joint-lost", "one joint is not seen (NaN), 4 s in every 20 s", lost),
)
