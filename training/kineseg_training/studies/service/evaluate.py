"""Evaluate a bundle by what a client gets: annotated takes through the real server, scored by the common metrics."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
from kineseg.motion import MotionError, read

from kineseg_training.data import Source, load_corpus, resample
from kineseg_training.default.recipe import CALIBRATION_FRAMES, FIT
from kineseg_training.errors import EvaluationError
from kineseg_training.export.step import PredictionError, prediction_error, read_bundle
from kineseg_training.files import EVAL_VARIABLE
from kineseg_training.server_process import running_server

FACTS = "cmu86_dev.json"

_PER_CENT = ("mof", "ari", "nmi", "edit", "f1@50", "covering", "bf1@0.5s", "bf1@1s")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Attributes:
        takes: Figures by take, and under ``mean`` their means: shares in [0, 1] and ``delay_ms``, as the scoring script
            defines them; ``max_delay_s``, the longest time from a boundary to its decision (under ``mean``: of all).
        prediction: Of frames of the held-out clips; None where these are not there.
    """

    takes: Mapping[str, Mapping[str, float]]
    prediction: PredictionError | None

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def table(self) -> str:
        """For reading: per cent, milliseconds, seconds."""
        header = "take  " + "".join(f"{name:>10}" for name in (*_PER_CENT, "delay_ms", "max_s"))
        lines = [header]
        for name, row in self.takes.items():
            shares = "".join(f"{100 * row[figure]:>10.1f}" for figure in _PER_CENT)
            lines.append(f"{name:<6}{shares}{row['delay_ms']:>10.0f}{row['max_delay_s']:>10.2f}")
        if self.prediction is not None:
            p = self.prediction
            lines += [
                "",
                f"mean squared error on held-out clips ({p.windows} windows), normalised channels; nothing moves:",
                f"  one frame ahead   {p.one_step:.4f}   {p.zero_velocity_one_step:.4f}",
                f"  all target frames {p.rollout:.4f}   {p.zero_velocity_rollout:.4f}",
            ]
        return "\n".join(lines)


def evaluate(bundle: Path, data: Path, eval_dir: Path, out: Path, *, latency_s: float | None = None) -> Evaluation:
    """Send the development takes through a server with `bundle`, leave the predictions in `out`, and score them.

    Args:
        bundle: Folder or ``.zip``.
        data: Folder of the CMU clips, which has ``subject_86`` (and ``test``, for the prediction error).
        eval_dir: Folder with ``score.py``, ``metrics.py`` and the annotation.
        out: Where the predictions go, one JSON a take in the exchange form of ``metrics.py``.
        latency_s: Latency budget asked of the server; its own default unless given.

    Raises:
        EvaluationError: A file is missing, a take is not what was annotated, or the server or the scoring failed.
        BundleError: `bundle` is not one.
    """
    for name in (FACTS, "score.py", "metrics.py"):
        if not (eval_dir / name).is_file():
            raise EvaluationError(f"{eval_dir}: has no {name}; name the folder with --eval-dir or {EVAL_VARIABLE}")
    read_bundle(bundle)  # says what is wrong sooner and more clearly than a server that does not start
    facts = json.loads((eval_dir / FACTS).read_text())
    out.mkdir(parents=True, exist_ok=True)
    delays: dict[str, float] = {}
    with running_server(bundle) as address, kineseg.Client(address) as client:
        for name, take in facts["takes"].items():
            logger.info("take %s", name)
            prediction = _segment(client, data / "subject_86" / f"{name}.mat", facts["fps"], latency_s)
            if prediction["n_frames"] != take["n_frames"]:
                raise EvaluationError(
                    f"take {name}: has {prediction['n_frames']} frames, but {take['n_frames']} were annotated"
                )
            (out / f"{name}.json").write_text(json.dumps(prediction))
            late = [b["emitted_frame"] - b["frame"] for b in prediction["boundaries"]]
            delays[name] = max(late, default=0) / facts["fps"]
    takes = _score(eval_dir, out)
    delays["mean"] = max(delays.values())
    return Evaluation(
        takes={name: row | {"max_delay_s": delays[name]} for name, row in takes.items()},
        prediction=_prediction(bundle, data / "test"),
    )


def _segment(client: kineseg.Client, path: Path, fps: float, latency_s: float | None) -> dict[str, Any]:
    """One take in the exchange form."""
    try:
        recording = read(path)
    except MotionError as error:
        raise EvaluationError(str(error)) from error
    if recording.rate != fps:
        raise EvaluationError(f"{path}: has {recording.rate:g} frames a second, but the annotation {fps:g}")
    try:
        result = client.segment(recording, latency_s=latency_s, decisions="final")
    except kineseg.KinesegError as error:
        raise EvaluationError(f"{path}: the server refused or failed: {error}") from error
    return {
        "fps": fps,
        "n_frames": result.n_frames,
        "online": True,
        "boundaries": [
            {"frame": frame, "emitted_frame": decided}
            for frame, decided in zip(result.boundaries, result.decided_frames, strict=True)
        ],
        "labels": result.labels().tolist(),
    }


def _score(eval_dir: Path, predictions: Path) -> dict[str, dict[str, float]]:
    # As a process: the script imports its neighbour by a name that is not ours to occupy.
    command = [sys.executable, str(eval_dir / "score.py"), str(predictions), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EvaluationError(f"{eval_dir / 'score.py'} failed: {done.stderr.strip()[-2000:]}")
    rows: dict[str, dict[str, float]] = json.loads(done.stdout)
    return rows


def _prediction(bundle: Path, clips: Path) -> PredictionError | None:
    if not clips.is_dir():
        return None
    opened = read_bundle(bundle)
    corpus = load_corpus(Source((clips,), skip_first=CALIBRATION_FRAMES))
    if corpus.channels != tuple(channel.name for channel in opened.manifest.channels):
        return None
    frames = [resample(clip.frames, clip.rate, opened.manifest.frame_rate_hz) for clip in corpus.clips]
    scale = np.array(opened.manifest.normalization.scale)
    return prediction_error(opened.step, scale, frames, FIT.source, FIT.target)
