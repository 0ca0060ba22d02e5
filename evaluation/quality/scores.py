"""Scores what was predicted for streams, by the metrics that every release is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.metrics import metrics_module
from evaluation.quality.stream import AnnotatedStream

TOLERANCE, WIDE_TOLERANCE = "0.5s", "1s"
SHARES = ("mof", "ari", "edit", "f1@50", "covering", "bf1", "precision", "recall", "bf1@1s")
"""Figures between 0 and 1, in the order shown; of boundaries within 0.5 s, but for the last, within 1 s."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a method says about one stream, in its frames.

    Attributes:
        boundaries: ``(N,)`` first frame of each new segment, the stream's first one left out.
        emitted: ``(N,)`` the frame at which each was emitted.
        labels: ``(T,)`` label of every frame; None if the method gives none.
    """

    boundaries: NDArray[np.int64]
    emitted: NDArray[np.int64]
    labels: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]], n_frames: int, labels: NDArray[np.int64] | None = None) -> Prediction:
        """From pairs (frame, emitted at) in any order.

        A boundary on the stream's edge separates nothing and is left out; one that is placed after the frame at which
        it was emitted counts as emitted at its own frame.
        """
        inside = sorted((frame, max(frame, emitted)) for frame, emitted in pairs if 0 < frame < n_frames)
        frames, emitted = (np.array([pair[i] for pair in inside], dtype=np.int64) for i in range(2))
        return cls(frames, emitted, labels)


@dataclass(frozen=True)
class StreamScore:
    """Figures of one stream or, as means, of a set.

    Attributes:
        shares: By name, see `SHARES`; what does not apply is absent.
        delays_s: From each boundary that was found to when it was emitted.
    """

    shares: dict[str, float]
    delays_s: tuple[float, ...]

    def delay(self, quantile: float) -> float | None:
        """A quantile of the delays, seconds; None if nothing was found."""
        return float(np.quantile(self.delays_s, quantile)) if self.delays_s else None


def score_stream(stream: AnnotatedStream, prediction: Prediction) -> StreamScore:
    """The figures of one stream.

    Raises:
        QualityError: The metrics are not there.
    """
    result = metrics_module().evaluate(
        {
            "fps": stream.rate,
            "n_frames": stream.n_frames,
            "boundaries": [
                {"frame": int(frame), "emitted_frame": int(emitted)}
                for frame, emitted in zip(prediction.boundaries, prediction.emitted, strict=True)
            ],
            "labels": prediction.labels,
        },
        stream.truth,
        stream.labels,
        stream.ignore,
    )
    boundary = result["boundary"][TOLERANCE]
    named = {
        "bf1": boundary["f1"],
        "precision": boundary["precision"],
        "recall": boundary["recall"],
        "bf1@1s": result["boundary"][WIDE_TOLERANCE]["f1"],
    }
    shares = {name: float((result | named)[name]) for name in SHARES if name in result or name in named}
    return StreamScore(shares, tuple(delay / 1000.0 for delay in boundary["delay_ms"]))


def mean(scores: Sequence[StreamScore]) -> StreamScore:
    """The mean of every share over streams, and the delays of all of them."""
    names = [name for name in SHARES if any(name in score.shares for score in scores)]
    return StreamScore(
        {name: float(np.mean([score.shares[name] for score in scores if name in score.shares])) for name in names},
        tuple(delay for score in scores for delay in score.delays_s),
    )
