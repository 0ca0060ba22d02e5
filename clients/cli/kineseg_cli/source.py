"""What a command streams: a file, or the embedded synthetic motion, fitted to the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kineseg import Model
from kineseg.motion import CANONICAL_CHANNELS, MotionError, Recording, canonical_pose, generate, inject, read
from kineseg.motion.errors import MotionFileError
from kineseg.motion.tables import TableLayout
from kineseg.motion.upright import UpChoice

from kineseg_cli.failures import CommandError
from kineseg_cli.joint_file import read_mapping

_ACTIONS = ("walk", "run", "jump", "squat", "wave", "punch", "kick", "sit", "arm_circles", "jumping_jacks")
_SEGMENTS = 12
_DISTINCT = 8
_RATE = 120.0
_LEAST_RATE, _LARGEST_RATE = 1.0, 1000.0  # frames a second that the contract allows a stream


def open_recording(
    path: Path,
    *,
    rate: float | None,
    up: UpChoice = "auto",
    mapping: Path | None = None,
    layout: TableLayout = "auto",
) -> Recording:
    """Read a motion file; the recording is named as the file is.

    Raises:
        MotionError: It cannot be read; names the file.
        CommandError: It says no frame rate, or one that no stream can have, or the mapping cannot be read; names the
            file.
    """
    try:
        recording = read(path, rate=rate, up=up, mapping=read_mapping(mapping), layout=layout)
    except MotionFileError as error:
        if rate is None and error.field == "rate" and "--rate" not in str(error):
            raise CommandError(f"{error} (--rate gives one)") from error
        raise
    if not _LEAST_RATE <= recording.rate <= _LARGEST_RATE:
        raise CommandError(
            f"{path}: {recording.rate:g} frames a second; a stream has {_LEAST_RATE:g} to {_LARGEST_RATE:g}: give "
            "another with --rate"
        )
    return replace(recording, name=path.name)


def fitted(recording: Recording, model: Model) -> Recording:
    """The recording with the model's channels: itself, or its canonical pose.

    A model that takes any channels gets the canonical pose where there is one: it does not know how bodies are built.

    Raises:
        CommandError: It has other channels, and no joint positions to make the model's from.
    """
    if set(recording.channels) == set(model.channels):
        return recording
    if model.takes_any_channels:
        try:
            return recording if recording.positions is None else canonical_pose(recording)
        except MotionError as error:  # joints of something that is no human body
            note = f"its channels are sent as they are, not as poses of a body: {error}"
            return replace(recording, notes=(*recording.notes, note))
    if set(model.channels) != set(CANONICAL_CHANNELS) or recording.positions is None:
        missing = [name for name in model.channels if name not in recording.channels]
        raise CommandError(
            f"{recording.name} has {recording.n_channels} channels ({_some(recording.channels)}); model "
            f"{model.name!r} needs {len(model.channels)} ({_some(tuple(missing) or model.channels)}, ...): convert the "
            "file, use --model scratch, or serve a model trained on such data with --bundle"
        )
    try:
        return canonical_pose(recording)
    except MotionError as error:
        raise CommandError(f"{recording.name}: {error}") from error


def embedded(seed: int) -> Recording:
    """Synthetic motion of about a minute: at least eight actions, some of them repeated, and two injected faults.

    A limb that is taken for the other one for a moment, and a gap, which the server fills.
    """
    chosen = next(s for s in range(1000 * seed, 1000 * seed + 1000) if _varied(_motion(s, rate=10.0)))
    recording = _motion(chosen, rate=_RATE)
    assert recording.truth is not None  # the generator knows what it made
    starts = [frame / _RATE for frame in recording.truth.boundaries]
    recording = inject(recording, "swapped", start_s=(starts[5] + starts[6]) / 2, duration_s=0.8, seed=seed)
    recording = inject(recording, "gap", start_s=(starts[8] + starts[9]) / 2, duration_s=0.5, seed=seed)
    return replace(recording, name=f"embedded demo, seed {seed}")


def _motion(seed: int, *, rate: float) -> Recording:
    return generate(seed, rate=rate, actions=_ACTIONS, n_segments=_SEGMENTS, min_segment_s=4.5, max_segment_s=6.5)


def _varied(recording: Recording) -> bool:
    return recording.truth is not None and _DISTINCT <= len(set(recording.truth.names)) < _SEGMENTS - 1


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3])
