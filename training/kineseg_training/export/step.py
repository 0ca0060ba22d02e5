"""Run the graph of a bundle, offline: what the service does per frame, and how well it predicts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from google.protobuf import json_format
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray

from kineseg_training.data import cut_windows
from kineseg_training.errors import BundleError

Array = NDArray[np.float32]
_BATCH = 128


@dataclass(frozen=True, eq=False)
class StepOutputs:
    """What steps gave: one row a stream (from `Step.__call__`) or one row a frame (from `Step.run`).

    Attributes:
        prediction: ``(..., C)``.
        surprise: ``(...)``.
        embedding: ``(..., E)``.
        scores: ``(..., K)`` of a recogniser's classes; None of other models.
    """

    prediction: Array
    surprise: Array
    embedding: Array
    scores: Array | None = None


class Step:
    """One streaming step of a graph, on the CPU with one thread.

    Args:
        graph: The serialised ONNX model.

    Raises:
        BundleError: It is not one.
    """

    def __init__(self, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            inputs = {each.name: each.shape for each in self._session.get_inputs()}
            self.n_channels, self.n_state = int(inputs["frame"][1]), int(inputs["state"][1])
        except Exception as error:  # the runtime has no common base for its errors
            raise BundleError(f"not the graph of a streaming step: {error}") from error
        known = {each.name for each in self._session.get_outputs()}
        self._outputs = [name for name in ("prediction", "surprise", "embedding", "scores") if name in known]

    def initial(self, n_streams: int) -> Array:
        """The state of new streams, ``(B, S)``."""
        return np.zeros((n_streams, self.n_state), dtype=np.float32)

    def __call__(self, frames: Array, state: Array) -> tuple[StepOutputs, Array]:
        """Step every stream by a frame: ``(B, C)`` and ``(B, S)`` in, outputs and the next state out."""
        *outputs, after = self._session.run([*self._outputs, "next_state"], {"frame": frames, "state": state})
        return StepOutputs(*outputs), after

    def run(self, frames: NDArray[np.floating]) -> StepOutputs:
        """All frames of one stream ``(T, C)`` from its initial state, or of several side by side ``(T, B, C)``.

        Outputs are ``(T, ...)`` or ``(T, B, ...)``.
        """
        alone = frames.ndim == 2
        rows = np.asarray(frames[:, None] if alone else frames, dtype=np.float32)
        state, found = self.initial(rows.shape[1]), []
        for row in rows:
            outputs, state = self(row, state)
            found.append(outputs)
        names = ("prediction", "surprise", "embedding", *(("scores",) if "scores" in self._outputs else ()))
        arrays = (np.stack([getattr(outputs, name) for outputs in found]) for name in names)
        return StepOutputs(*(array[:, 0] if alone else array for array in arrays))


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle read back: its manifest and its step."""

    manifest: bundle_pb2.BundleManifest
    step: Step


def read_bundle(path: Path) -> Bundle:
    """Read a bundle, a folder or a ``.zip``.

    Raises:
        BundleError: It is not there or lacks a part.
    """
    try:
        manifest, graph = _member(path, "manifest.json"), _member(path, "model.onnx")
        parsed = json_format.Parse(manifest, bundle_pb2.BundleManifest())
    except (OSError, KeyError, zipfile.BadZipFile, json_format.ParseError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: not a bundle ({error}); write one with `kineseg-train export`") from error
    return Bundle(parsed, Step(graph))


def _member(path: Path, name: str) -> bytes:
    if path.is_dir():
        return (path / name).read_bytes()
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return archive.read(name)


@dataclass(frozen=True)
class PredictionError:
    """Mean squared errors in normalised channels.

    Attributes:
        windows: Number of windows they were measured on.
        one_step: Of the frame after each window's source.
        rollout: Of all target frames, its own predictions fed back.
        zero_velocity_one_step: Of repeating the last frame, for the next frame.
        zero_velocity_rollout: Of repeating the last frame, for all target frames.
    """

    windows: int
    one_step: float
    rollout: float
    zero_velocity_one_step: float
    zero_velocity_rollout: float


def prediction_error(
    step: Step, scale: NDArray[np.floating], clips: Sequence[NDArray[np.float64]], source: int, target: int
) -> PredictionError:
    """Measure on windows of `source` + `target` frames cut from `clips`.

    Args:
        step: What predicts.
        scale: ``(C,)``, by which errors are divided.
        clips: ``(T, C)`` each, at the model's rate.
        source: Frames heard.
        target: Frames predicted.

    Raises:
        DataError: Every clip is shorter than a window.
    """
    windows = cut_windows(clips, source, target, source, every=max(1, target // 2))
    ours, still = [], []
    for start in range(0, len(windows), _BATCH):
        part = windows.part(start, start + _BATCH)
        state = step.initial(len(part))
        for s in range(source):
            outputs, state = step(np.ascontiguousarray(part.source[:, s]), state)
        for t in range(target):
            ours.append((t, _square(outputs.prediction, part.target[:, t], scale)))
            still.append((t, _square(part.source[:, -1], part.target[:, t], scale)))
            outputs, state = step(outputs.prediction, state)
    return PredictionError(
        windows=len(windows),
        one_step=_mean(ours, first_only=True),
        rollout=_mean(ours),
        zero_velocity_one_step=_mean(still, first_only=True),
        zero_velocity_rollout=_mean(still),
    )


def _square(
    prediction: NDArray[np.float32], truth: NDArray[np.float32], scale: NDArray[np.floating]
) -> NDArray[np.float64]:
    error = (prediction.astype(np.float64) - truth) / scale
    return np.asarray((error**2).mean(axis=1))


def _mean(errors: Sequence[tuple[int, NDArray[np.float64]]], *, first_only: bool = False) -> float:
    return float(np.concatenate([error for t, error in errors if t == 0 or not first_only]).mean())
