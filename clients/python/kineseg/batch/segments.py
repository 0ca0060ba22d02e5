"""The segments of one file: what a job does to each, whatever runs the job."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from kineseg._client import Client
from kineseg._info import Model
from kineseg._segmentation import Segmentation, choose_model
from kineseg._segmenter import Segmenter, segment
from kineseg.batch.choices import Choices
from kineseg.motion import Recording, read

_LOCAL = "motion"  # the model of this process, where none is named
_ANY_RATE = 60.0


class Row(TypedDict):
    """One segment of one file; times count from the file's first frame."""

    file: str
    segment_id: int
    label: int
    name: str
    name_confidence: float
    repeat_probability: float
    start_frame: int
    end_frame: int
    start_time_s: float
    end_time_s: float
    n_frames: int
    rate_hz: float
    model: str
    embedding: list[float]


def segment_file(file: str | Path, choices: Choices) -> list[Row]:
    """Read a file and segment it as a stream; the segments in the order of time.

    Can be called in any process, one after the other or in several threads; a connection to the server is kept for the
    next file. The result is the same wherever it runs.

    Args:
        file: Any that `kineseg.motion.read` reads.
        choices: How.

    Raises:
        kineseg.motion.MotionError: It cannot be read, or is not of what the model takes; names the file.
        KinesegError: The server, a choice or the model is at fault.
    """
    recording = read(file, rate=choices.rate, up=choices.up, mapping=choices.mapping, layout=choices.layout)
    model, found = model_of(choices).name, _segmented(recording, choices)
    return [
        Row(
            file=str(file),
            segment_id=each.segment_id,
            label=each.label,
            name=each.name,
            name_confidence=each.name_confidence,
            repeat_probability=each.repeat_probability,
            start_frame=each.start_frame,
            end_frame=each.end_frame,
            start_time_s=each.start_time_s,
            end_time_s=each.end_time_s,
            n_frames=found.n_frames,
            rate_hz=found.rate,
            model=model,
            embedding=list(each.embedding),
        )
        for each in found.segments
    ]


def model_of(choices: Choices) -> Model:
    """The model that is used.

    Raises:
        KinesegError: There is none such, or the server does not answer.
    """
    return _model(choices.server, choices.model)


def _segmented(recording: Recording, choices: Choices) -> Segmentation:
    latency_s, threshold = choices.latency_s, choices.boundary_threshold
    if choices.server is None:
        return segment(
            recording,
            model=choices.model or _LOCAL,
            latency_s=latency_s,
            boundary_threshold=threshold,
            name_bank=choices.name_bank,
            decisions="final",
        )
    return _client(choices.server).segment(
        recording,
        model=choices.model,
        latency_s=latency_s,
        boundary_threshold=threshold,
        decisions="final",
    )


@lru_cache(maxsize=4)
def _client(server: str) -> Client:
    return Client(server)


@lru_cache(maxsize=4)
def _model(server: str | None, name: str) -> Model:
    if server is None:
        return Segmenter.load(name or _LOCAL, rate=_ANY_RATE).model
    return choose_model(_client(server).models(), name)
