"""What a composite LSTM is trained on: windows of motion, or films of moving shapes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data import Clip, LabelledClips, cmu_actions, mirrored, split_by_take
from kineseg_training.errors import DataError
from kineseg_training.models.composite import Output
from kineseg_training.studies.srivastava_2015.moving_shapes import ShapesSettings, moving_shapes, patched

RATE = 30.0  # frames of motion per second
# Of the training takes: these evaluate while training, so that the test takes are seen by no one before the end.
_VALIDATION_SHARE = 0.12
_VALIDATION_SPLIT = 0
# Posture is shifted along so many principal components of the training frames, by this share of their deviations; and
# motion within a window is exaggerated or weakened, by about this share.
_COMPONENTS, _SHIFT, _EXAGGERATION = 8, 0.5, 0.2
# Far from the seeds that people train with.
_HELD_OUT_SEED = 2_000_000


class Sequences(Protocol):
    """Sequences of vectors, as many as wanted.

    Attributes:
        inputs: C, numbers in a frame.
        output: What becomes a frame: ``linear`` or ``logistic``.
        fingerprint: Of all that they are made of.
    """

    @property
    def inputs(self) -> int: ...
    @property
    def output(self) -> Output: ...
    @property
    def fingerprint(self) -> str: ...

    def normalisation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and scale, both ``(C,)``."""

    def draw(self, count: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """``(count, length, C)`` at random, to train on."""

    def held_out(self, count: int, length: int) -> NDArray[np.float32]:
        """``(N, length, C)``, always the same, N at most `count`, none of which is trained on."""


class PoseSequences:
    """Windows of clips of motion.

    Args:
        training: Clips ``(T, C)`` to train on.
        held_out: Clips to evaluate on.
        channels: C names; only needed for mirroring.
        mirror: Show half of the windows with left and right swapped: no motion is rarer for it, and there is twice as
            much to learn from.
        vary: Show windows in other postures and with more or less movement. Not in the paper, which has far more data:
            with the few takes here, a model that sees only their postures does worse on others (see `variants`).
    """

    output: Output = "linear"

    def __init__(
        self,
        training: Sequence[NDArray[np.float64]],
        held_out: Sequence[NDArray[np.float64]],
        channels: tuple[str, ...] = (),
        *,
        mirror: bool = False,
        vary: bool = False,
    ) -> None:
        if not training or not held_out:
            raise DataError(
                f"{len(training)} clips to train on and {len(held_out)} to evaluate on: at least one of each"
            )
        self._training = [np.asarray(clip, dtype=np.float32) for clip in training]
        self._mirrored = (
            [mirrored(clip, channels).astype(np.float32) for clip in training] if mirror else self._training
        )
        self._held_out = [np.asarray(clip, dtype=np.float32) for clip in held_out]
        self.inputs = int(training[0].shape[1])
        self._shifts = self._components() if vary else None
        digest = hashlib.sha256(f"{len(training)} {mirror} {vary}".encode())
        for clip in (*self._training, *self._held_out):
            digest.update(str(clip.shape).encode() + clip.tobytes())
        self.fingerprint = digest.hexdigest()

    def normalisation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of all training frames and their mirror images."""
        frames = np.concatenate([*self._training, *self._mirrored]).astype(np.float64)
        deviation = frames.std(axis=0)
        # A channel that hardly moves in training must not make a storm of its noise later.
        return frames.mean(axis=0), np.maximum(deviation, max(0.1 * float(np.median(deviation)), 1e-6))

    def draw(self, count: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Every window of a training clip is equally likely.

        Raises:
            DataError: All clips are shorter.
        """
        places = _places(self._training, length)
        chosen = places[rng.integers(len(places), size=count)]
        swapped = rng.random(count) < 0.5
        drawn = np.stack(
            [
                (self._mirrored if swap else self._training)[clip][start : start + length]
                for (clip, start), swap in zip(chosen, swapped, strict=True)
            ]
        )
        if self._shifts is None:
            return drawn
        middle = drawn.mean(axis=1, keepdims=True)
        strength = 1.0 + _EXAGGERATION * rng.standard_normal((count, 1, 1))
        shift = rng.standard_normal((count, 1, len(self._shifts))) @ self._shifts
        return np.asarray(middle + shift + strength * (drawn - middle), dtype=np.float32)

    def held_out(self, count: int, length: int) -> NDArray[np.float32]:
        """Evenly from all windows of the held-out clips.

        Raises:
            DataError: All clips are shorter.
        """
        return windows(self._held_out, count, length)

    def _components(self) -> NDArray[np.float64]:
        """``(K, C)``: what a posture is shifted by along each principal component of the normalised frames."""
        mean, scale = self.normalisation()
        frames = (np.concatenate([*self._training, *self._mirrored]) - mean) / scale
        variances, directions = np.linalg.eigh(frames.T @ frames / len(frames))
        kept = slice(-min(_COMPONENTS, self.inputs), None)
        deviations = np.sqrt(np.maximum(variances[kept], 0.0))
        # The sign of a direction is the library's whim; fixed, so that equal seeds give equal batches.
        signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(self.inputs)])
        return np.asarray(_SHIFT * deviations[:, None] * (directions * signs).T[kept] * scale)


class ShapeSequences:
    """Films of moving shapes, made as they are needed; a frame is the vector of its patches' means.

    Args:
        settings: What the films show.
        patch: Pixels of a patch's side.
    """

    output: Output = "logistic"

    def __init__(self, settings: ShapesSettings | None = None, patch: int = 1) -> None:
        self.settings = settings or ShapesSettings()
        self.patch = patch
        self.inputs = int(patched(np.zeros((1, 1, self.settings.side, self.settings.side), np.float32), patch).size)
        self.fingerprint = hashlib.sha256(json.dumps([asdict(self.settings), patch]).encode()).hexdigest()

    def normalisation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """None: pixels stay what they are."""
        return np.zeros(self.inputs), np.ones(self.inputs)

    def draw(self, count: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """New films."""
        return patched(moving_shapes(count, length, rng, self.settings), self.patch)

    def held_out(self, count: int, length: int) -> NDArray[np.float32]:
        """Films from a seed of their own; longer ones begin like shorter ones."""
        return self.draw(count, length, np.random.default_rng(_HELD_OUT_SEED))


def windows(clips: Sequence[NDArray[np.floating]], count: int, length: int) -> NDArray[np.float32]:
    """At most `count` windows ``(N, length, C)`` of clips, spread evenly over all that there are.

    Raises:
        DataError: All clips are shorter.
    """
    places = _places(clips, length)
    chosen = places[np.unique(np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(np.int64))]
    return np.stack([clips[clip][start : start + length] for clip, start in chosen]).astype(np.float32)


def cmu_poses(folder: Path, *, vary: bool = True) -> tuple[PoseSequences, LabelledClips]:
    """Canonical pose of the eight CMU actions: the training takes, some of them held out, and the test clips.

    Args:
        folder: With ``train`` and ``test``.
        vary: See `PoseSequences`.

    Raises:
        DataError: They are not there.
    """
    train, test = cmu_actions(folder, RATE)
    clips = [Clip(clip.name, clip.frames, RATE) for clip in train.clips]
    training, validation = split_by_take(clips, _VALIDATION_SHARE, _VALIDATION_SPLIT)
    sequences = PoseSequences(
        [clip.frames for clip in training], [clip.frames for clip in validation], train.channels, mirror=True, vary=vary
    )
    return sequences, test


def _places(clips: Sequence[NDArray[np.floating]], length: int) -> NDArray[np.int64]:
    """``(M, 2)``: clip and first frame of every window."""
    starts = [len(clip) - length + 1 for clip in clips]
    if max(starts) < 1:
        raise DataError(
            f"every clip is shorter than a window of {length} frames (the longest has "
            f"{max(len(clip) for clip in clips)}); use longer clips or read and predict fewer frames"
        )
    return np.concatenate(
        [np.stack([np.full(n, clip), np.arange(n)], axis=1) for clip, n in enumerate(starts) if n > 0]
    ).astype(np.int64)
