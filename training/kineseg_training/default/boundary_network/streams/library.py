"""The library of single actions and postures that bodies are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from kineseg.motion import CANONICAL_JOINTS, Canonicalizer, canonical_pose, forward_kinematics, generate
from kineseg.motion.synthetic.actions import ACTIONS
from kineseg.motion.synthetic.body import draw_skeleton
from kineseg.motion.synthetic.posture import COLUMN, REST, joint_rotations, posture_array
from numpy.typing import NDArray

from kineseg_training.data.action_clips import action_clips
from kineseg_training.default.boundary_network.streams.annotated import READERS, Annotated
from kineseg_training.default.boundary_network.streams.columns import POSTURE, UPPER
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE
from kineseg_training.errors import SettingsError

Array = NDArray[np.float64]
Source = Literal["clips", "generated", "takes", "mocap6", "gesturephase"]
SOURCES: tuple[str, ...] = get_args(Source)
RECORDED: tuple[str, ...] = ("clips", *READERS)
"""Those that are read from files."""

_SHORTEST_PART_S = 1.5

_GENERATED_FIRST_SEED = 900  # no stream that quality is measured on has these
_GENERATED_TAKES, _GENERATED_S = 4, 24.0  # of each action, by different bodies
_INVENTED = 240  # postures
_INVENTED_SHARE = 0.25  # of the postures that are drawn, where there are recorded ones
_MIXED_SHARE = 0.5  # of the postures that are drawn, whose upper half is of another one
# How far from rest an invented posture has its joints, radians (deviation).
_SPREAD = {"shoulder": 0.7, "elbow": 0.6, "thigh": 0.4, "knee": 0.4, "lean": 0.15, "back": 0.2, "head": 0.2}


@dataclass(frozen=True, eq=False)
class Library:
    """What bodies are made of.

    Attributes:
        actions: By name, ``clips:...``, ``generated:...``, ``takes:...`` or ``mocap6:...``, takes of it, each
            ``(T, 59)`` canonical at `BODY_RATE`.
        annotated: By source, whole recordings with people's annotation.
        invented: ``(N, 55)`` postures at random joint angles.
    """

    actions: dict[str, tuple[Array, ...]]
    annotated: dict[str, tuple[Annotated, ...]]
    invented: Array

    def names(self, source: str | None = None) -> list[str]:
        """The actions of one source, or of all."""
        return [name for name in self.actions if source is None or name.startswith(f"{source}:")]

    def posture(self, rng: np.random.Generator) -> Array:
        """``(55,)`` a posture, from the midst of an action or invented."""
        if not self.actions or rng.random() < _INVENTED_SHARE:
            return np.array(self.invented[rng.integers(len(self.invented))])
        names = self.names()
        takes = self.actions[names[rng.integers(len(names))]]
        take = takes[rng.integers(len(takes))]
        return np.array(take[rng.integers(len(take)), :POSTURE])

    def mixed_posture(self, rng: np.random.Generator) -> Array:
        """``(55,)`` a posture, half of the time with arms and trunk of another one."""
        posture = self.posture(rng)
        if rng.random() < _MIXED_SHARE:
            posture[UPPER] = self.posture(rng)[UPPER]
        return posture

    def standing(self, rng: np.random.Generator) -> Array:
        """``(55,)`` somebody at ease."""
        takes = self.actions.get("generated:stand")
        if takes is None:
            return np.array(self.invented[0])
        take = takes[rng.integers(len(takes))]
        return np.array(take[rng.integers(len(take)), :POSTURE])


def check_left_out(leave_out: Iterable[str]) -> frozenset[str]:
    """The same as a set.

    Raises:
        SettingsError: One of them is no source.
    """
    unknown = sorted(set(leave_out) - set(SOURCES))
    if unknown:
        raise SettingsError(f"leave-out: there is no source {', '.join(unknown)}; choose from {', '.join(SOURCES)}")
    return frozenset(leave_out)


def load_library(clips: Path | None, leave_out: frozenset[str] = frozenset()) -> Library:
    """All actions that are not left out.

    Args:
        clips: Folder of the CMU clips, with `takes`, and with folders of the other recordings beside it; not read where
            all recorded sources are left out.
        leave_out: Sources to leave out.

    Raises:
        DataError: A source that is wanted is not there.
        SettingsError: An unknown source, or no folder although recordings are wanted.
    """
    check_left_out(leave_out)
    recorded = [source for source in RECORDED if source not in leave_out]
    if recorded and clips is None:
        raise SettingsError(f"data: name the folder of the CMU clips, or leave out {', '.join(recorded)}")
    actions: dict[str, tuple[Array, ...]] = {}
    if clips is not None and "clips" in recorded:
        for name, recordings in action_clips(clips).items():
            poses = (np.asarray(canonical_pose(recording).frames, np.float64) for recording in recordings)
            actions[f"clips:{name}"] = tuple(poses)
    if "generated" not in leave_out:
        for number, name in enumerate(ACTIONS):
            first = _GENERATED_FIRST_SEED + 10 * number
            actions[f"generated:{name}"] = tuple(_generated(name, first + take) for take in range(_GENERATED_TAKES))
    annotated: dict[str, tuple[Annotated, ...]] = {}
    for source, reader in READERS.items():
        if clips is not None and source in recorded:
            annotated[source] = tuple(reader(clips))
            actions |= _parts(source, annotated[source])
    return Library(actions, annotated, _invented_postures())


def _parts(source: str, recordings: tuple[Annotated, ...]) -> dict[str, tuple[Array, ...]]:
    """What bodies do in the segments of annotated recordings, by action."""
    found: dict[str, list[Array]] = {}
    for recording in recordings:
        for action, frames in recording.parts() if recording.is_body else ():
            if len(frames) >= _SHORTEST_PART_S * recording.rate:
                found.setdefault(f"{source}:{action}", []).append(frames)
    return {name: tuple(parts) for name, parts in sorted(found.items())}


def _generated(name: str, seed: int) -> Array:
    """One action alone, without sensor noise."""
    recording = generate(
        seed, rate=BODY_RATE, actions=[name], n_segments=1, noise=0.0,
        min_segment_s=_GENERATED_S, max_segment_s=_GENERATED_S + 1.0,
    )  # fmt: skip
    return np.asarray(canonical_pose(recording).frames, np.float64)


def _invented_postures() -> Array:
    """``(N, 55)``, the first of them at rest: joints at angles that no action was needed for."""
    rng = np.random.default_rng(_GENERATED_FIRST_SEED)
    skeleton = draw_skeleton(rng)
    postures = posture_array({}, _INVENTED)
    for entry, column in COLUMN.items():
        spread = next((value for part, value in _SPREAD.items() if part in entry.split("_")), 0.0)
        angles = REST[entry] + spread * rng.standard_normal(_INVENTED - 1)
        # Elbows and knees bend one way only.
        postures[1:, column] = np.abs(angles) if entry.endswith(("elbow_flex", "knee_flex")) else angles
    rotations = joint_rotations(postures, np.zeros(_INVENTED))
    positions = forward_kinematics(skeleton, rotations, np.zeros((_INVENTED, 3)))
    return Canonicalizer(CANONICAL_JOINTS, BODY_RATE, skeleton=skeleton).push(positions)[:, :POSTURE]
