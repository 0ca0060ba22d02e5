"""The recordings to learn from: found in folders or generated, brought to one set of channels, fingerprinted."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from kineseg.motion import MotionError, Recording, canonical_pose, generate, read
from kineseg.motion.synthetic import ACTIONS
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError

# Far from the seeds that people use, so that a demo or a test does not show a model what it was trained on.
SYNTHETIC_SEED = 1_000_000
SUFFIXES = (".bvh", ".csv", ".mat", ".npy", ".npz", ".txt")

logger = logging.getLogger(__name__)
# Far from the seeds that people use, and from those of `Source.synthetic`.
FIRST_SEED = 2_000_000
_RATE = 60.0
_TRIM_S = 0.3  # at both ends of a segment: the passage to its neighbours is neither action


@dataclass(frozen=True)
class Source:
    """Where the recordings come from.

    Attributes:
        folders: Folders (or single files), searched with their subfolders.
        file_rate: Frames per second of files that do not say.
        skip_first: Frames dropped at the start of each file (such as a calibration pose).
        synthetic: Number of generated recordings of one minute to add.
    """

    folders: tuple[Path, ...] = ()
    file_rate: float | None = None
    skip_first: int = 0
    synthetic: int = 0

    def __post_init__(self) -> None:
        for name in ("skip_first", "synthetic"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} must not be negative, got {getattr(self, name)}")

    def plain(self) -> dict[str, Any]:
        """As plain values, for `from_plain` on the same machine."""
        return {**asdict(self), "folders": [str(folder.resolve()) for folder in self.folders]}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Source:
        """What `plain` wrote."""
        return cls(**{**values, "folders": tuple(Path(folder) for folder in values["folders"])})


@dataclass(frozen=True, eq=False)
class Clip:
    """One take, in the channels that the model sees and still at its own rate.

    Attributes:
        name: Path below the folder that it was found in, with ``/``.
        frames: ``(T, C)`` float64.
        rate: Frames per second.
    """

    name: str
    frames: NDArray[np.float64]
    rate: float

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return len(self.frames) / self.rate


@dataclass(frozen=True, eq=False)
class Corpus:
    """All clips, which share their channels.

    Attributes:
        clips: In the order of their names.
        channels: C names.
        fingerprint: SHA-256 over the names and contents of the files (for synthetic clips: of the frames).
        source: Where they came from.
    """

    clips: tuple[Clip, ...]
    channels: tuple[str, ...]
    fingerprint: str
    source: Source

    @property
    def duration_s(self) -> float:
        """Seconds of all clips together."""
        return sum(clip.duration_s for clip in self.clips)


def load_corpus(source: Source) -> Corpus:
    """Read every recording of `source`.

    A recording with joint positions becomes canonical pose; one without keeps its own channels.

    Raises:
        DataError: No folder, nothing to read, an unreadable file, or channels that differ between files.
    """
    digest = hashlib.sha256()
    clips: list[Clip] = []
    channels: tuple[str, ...] | None = None
    for name, path in _files(source.folders):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        recording = _read(path, source.file_rate, source.skip_first)
        channels = _same_channels(channels, recording.channels, name)
        if np.isnan(recording.frames).any():
            raise DataError(f"{path}: has missing values (NaN); fill or leave out such frames before training")
        clips.append(Clip(name, np.asarray(recording.frames), recording.rate))
    for number in range(source.synthetic):
        recording = canonical_pose(generate(seed=SYNTHETIC_SEED + number, duration_s=60.0, rate=60.0))
        channels = _same_channels(channels, recording.channels, recording.name)
        digest.update(recording.name.encode() + b"\0" + hashlib.sha256(recording.frames.tobytes()).digest())
        clips.append(Clip(f"synthetic/{number:03d}", np.asarray(recording.frames), recording.rate))
    if channels is None:
        raise DataError("no recordings to learn from: name a folder with recordings, or ask for synthetic ones")
    corpus = Corpus(tuple(clips), channels, digest.hexdigest(), source)
    logger.info("%d clips, %.0f s, %d channels", len(clips), corpus.duration_s, len(channels))
    return corpus


def _files(folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """(name, path) of every recording, by name."""
    found: dict[str, Path] = {}
    for folder in folders:
        if folder.is_file():
            found[folder.name] = folder
            continue
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; give the folder that holds the recordings with --data")
        paths = [p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
        if not paths:
            raise DataError(f"{folder}: holds no recording ({', '.join(SUFFIXES)})")
        for path in paths:
            name = (folder.name / path.relative_to(folder)).as_posix()
            if found.setdefault(name, path) != path:
                raise DataError(f"{path} and {found[name]} have the same name {name!r}: rename one of the folders")
    return sorted(found.items())


def _read(path: Path, rate: float | None, skip_first: int) -> Recording:
    try:
        recording = read(path, rate=rate)
        if skip_first >= recording.n_frames:
            raise DataError(f"{path}: has {recording.n_frames} frames, of which {skip_first} are to be skipped")
        recording = recording.slice(skip_first)
        if recording.positions is None:
            return recording
        return canonical_pose(replace(recording, timestamps=None))
    except MotionError as error:
        raise DataError(str(error) if str(path) in str(error) else f"{path}: {error}") from error


def _same_channels(known: tuple[str, ...] | None, these: tuple[str, ...], name: str) -> tuple[str, ...]:
    if known is None or known == these:
        return these
    raise DataError(
        f"{name}: has {len(these)} channels ({these[0]!r} ...), the files before it {len(known)} ({known[0]!r} ...); "
        "train on recordings that share their channels"
    )


def generated_actions(minutes: int, kinds: Sequence[str]) -> Corpus:
    """The segments of generated recordings of a minute, each a clip ``generated/<kind>/...`` of one action.

    Args:
        minutes: Number of recordings; each has a body and tempos of its own.
        kinds: The generator's actions that they may hold.

    Raises:
        SettingsError: No recording, or a kind that the generator does not know.
    """
    unknown = sorted(set(kinds) - set(ACTIONS))
    if minutes < 1 or not kinds or unknown:
        raise SettingsError(
            f"generated actions need a minute or more and kinds out of {', '.join(ACTIONS)}; got {minutes} and "
            f"{', '.join(kinds) or 'none'}"
        )
    clips: list[Clip] = []
    for number in range(minutes):
        clips += _segments(generate(FIRST_SEED + number, 60.0, _RATE, actions=tuple(kinds)), number)
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(clip.name.encode() + b"\0" + hashlib.sha256(clip.frames.tobytes()).digest())
    return Corpus(tuple(clips), canonical_pose(generate(FIRST_SEED, 1.0, _RATE)).channels, digest.hexdigest(), Source())


def _segments(recording: Recording, number: int) -> list[Clip]:
    truth = recording.truth
    assert truth is not None  # the generator knows it
    frames = np.asarray(canonical_pose(recording).frames, dtype=np.float64)
    trim = round(_TRIM_S * recording.rate)
    spans = pairwise([*truth.boundaries, recording.n_frames])
    return [
        Clip(f"generated/{name}/{number:03d}-{start:04d}", frames[start + trim : stop - trim], recording.rate)
        for (start, stop), name in zip(spans, truth.names, strict=True)
        if stop - start > 2 * trim
    ]
