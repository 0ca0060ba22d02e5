"""The recordings to learn from: found in folders, read, brought to one set of channels, fingerprinted."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from kineseg.motion import MotionError, Recording, canonical_pose, read
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError

SUFFIXES = (".bvh", ".csv", ".mat", ".npy", ".npz", ".txt")

logger = logging.getLogger(__name__)


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
    """

    clips: tuple[Clip, ...]
    channels: tuple[str, ...]
    fingerprint: str

    @property
    def duration_s(self) -> float:
        """Seconds of all clips together."""
        return sum(clip.duration_s for clip in self.clips)


def load_corpus(
    folders: Sequence[Path],
    *,
    rate: float | None = None,
    skip_first: int = 0,
    synthetic: int = 0,
    seed: int = 0,
) -> Corpus:
    """Read every recording below `folders` and add generated ones if asked.

    A recording with joint positions becomes canonical pose; one without keeps its own channels.

    Args:
        folders: Folders (or single files), searched with their subfolders.
        rate: Frames per second of files that do not say.
        skip_first: Frames dropped at the start of each file (such as a calibration pose).
        synthetic: Number of generated recordings of one minute to add.
        seed: Of the generated recordings.

    Raises:
        DataError: No folder, nothing to read, an unreadable file, or channels that differ between files.
        SettingsError: A negative number.
    """
    for name, value in (("skip_first", skip_first), ("synthetic", synthetic)):
        if value < 0:
            raise SettingsError(f"{name} must not be negative, got {value}")
    digest = hashlib.sha256()
    clips: list[Clip] = []
    channels: tuple[str, ...] | None = None
    for name, path in _files(folders):
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        recording = _read(path, rate, skip_first)
        channels = _same_channels(channels, recording.channels, name)
        clips.append(Clip(name, np.asarray(recording.frames), recording.rate))
    for number in range(synthetic):
        from kineseg.motion import generate

        recording = canonical_pose(generate(seed=seed + number, duration_s=60.0, rate=60.0))
        channels = _same_channels(channels, recording.channels, recording.name)
        digest.update(recording.name.encode() + b"\0" + hashlib.sha256(recording.frames.tobytes()).digest())
        clips.append(Clip(f"synthetic/{number:03d}", np.asarray(recording.frames), recording.rate))
    if channels is None:
        raise DataError("no recordings to learn from: name a folder with recordings, or ask for synthetic ones")
    corpus = Corpus(tuple(clips), channels, digest.hexdigest())
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
