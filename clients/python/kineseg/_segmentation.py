"""A finished segmentation, and what is sent to get one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg._arguments import flag, text
from kineseg._arrays import real_numbers
from kineseg._config import Decisions, StreamConfig, channel_names
from kineseg._errors import InvalidRequest, NotFound
from kineseg._events import (
    Event,
    FrameResult,
    LabelsMerged,
    Reconnected,
    SegmentClosed,
    SegmentStarted,
    SegmentUpdated,
    Summary,
)
from kineseg._info import Model, Segment
from kineseg._model_input import ModelInput
from kineseg._provisional_segments import ProvisionalSegment, provisional_segments

if TYPE_CHECKING:
    from kineseg.motion import Recording

# No one waits for the events of a file, so its chunks are longer than those of a live source.
_FILE_CHUNK_S = 0.5
_LIVE_CHUNK_S = 0.05


Items: TypeAlias = list[Event | FrameResult | Reconnected]
Collected: TypeAlias = tuple[Items, int, dict[str, Any] | None]
"""All that a stream answered, how many frames were processed, and the profile."""


@dataclass(frozen=True)
class Segmentation:
    """The segments of a whole recording.

    Provisional segments that were not confirmed are only in `provisional`.

    Attributes:
        segments: Finished segments in the order of time; none if only ``"provisional"`` decisions were asked for.
        events: All events in the order in which they were decided, the summary last.
        summary: The whole stream in figures.
        rate: Frames per second of the input.
        n_frames: Number of input frames, T.
        frame_results: What the model computed per frame of its own rate, if asked for.
        profile: What the recording has taught about its source, for `StreamConfig.profile` of the next one, if asked
            for. Plain values, for ``json.dump``.
    """

    segments: tuple[Segment, ...]
    # Thousands of events have no place in a repr.
    events: tuple[Event, ...] = field(repr=False)
    summary: Summary
    rate: float
    n_frames: int
    frame_results: tuple[FrameResult, ...] = field(default=(), repr=False)
    profile: dict[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def from_items(
        cls,
        items: Sequence[Event | FrameResult | Reconnected],
        *,
        rate: float,
        n_frames: int,
        profile: dict[str, Any] | None = None,
    ) -> Segmentation:
        """Put together what a stream answered.

        Raises:
            InvalidRequest: There is no summary among it: the stream has not ended.
        """
        events = tuple(item for item in items if isinstance(item, Event))
        summary = next((event for event in reversed(events) if isinstance(event, Summary)), None)
        if summary is None:
            raise InvalidRequest("without its summary a stream is not finished", field="items")
        closed = (event.segment for event in events if isinstance(event, SegmentClosed))
        return cls(
            segments=tuple(sorted(closed, key=lambda segment: segment.start_frame)),
            events=events,
            summary=summary,
            rate=rate,
            n_frames=n_frames,
            frame_results=tuple(item for item in items if isinstance(item, FrameResult)),
            profile=profile,
        )

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The frames where one segment gives way to the next: the first frame of each but the first."""
        return tuple(segment.start_frame for segment in self.segments[1:])

    @cached_property
    def decided_frames(self) -> tuple[int, ...]:
        """For each of `boundaries` the frame whose processing decided it for good."""
        decided: dict[int, int] = {}
        for event in self.events:
            match event:
                case SegmentStarted(confirmed=True) | SegmentUpdated(confirmed=True) | SegmentClosed():
                    decided.setdefault(event.segment_id, event.decided_frame)
        return tuple(decided[segment.segment_id] for segment in self.segments[1:])

    @cached_property
    def provisional(self) -> tuple[ProvisionalSegment, ...]:
        """The segments that were provisional at first, and what became of them, in the order emitted.

        There are none if only ``"final"`` decisions were asked for.
        """
        return provisional_segments(self.events)

    @cached_property
    def merges(self) -> tuple[LabelsMerged, ...]:
        """The labels that turned out to be one action, in the order emitted."""
        return tuple(event for event in self.events if isinstance(event, LabelsMerged))

    def labels(self, *, merged: bool = False) -> NDArray[np.int64]:
        """``(T,)`` label of every input frame; -1 where there is no segment.

        Args:
            merged: Whether labels that were merged later are replaced by the one that stands for both. By default they
                are those that the segments were closed with.
        """
        into: dict[int, int] = {}
        if merged:
            for event in self.merges:
                into = {label: event.into if last == event.label else last for label, last in into.items()}
                into[event.label] = event.into
        return self._per_frame([into.get(segment.label, segment.label) for segment in self.segments])

    def segment_ids(self) -> NDArray[np.int64]:
        """``(T,)`` segment id of every input frame; -1 where there is no segment."""
        return self._per_frame([segment.segment_id for segment in self.segments])

    def names(self) -> NDArray[np.str_]:
        """``(T,)`` name of every input frame; empty where the segment's name is unknown."""
        named = np.array(["", *(segment.name for segment in self.segments)], dtype=np.str_)
        return named[self._per_frame(range(len(self.segments))) + 1]

    def to_csv(self, path: str | Path) -> None:
        """Write one row per input frame: ``frame,segment_id,label``, and ``name`` if any segment has one."""
        columns = {"frame": range(self.n_frames), "segment_id": self.segment_ids().tolist()}
        columns["label"] = self.labels().tolist()
        if any(segment.name for segment in self.segments):
            columns["name"] = self.names().tolist()
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    def to_jsonl(self, path: str | Path) -> None:
        """Write one event a line; `event_from_dict` reads them."""
        with Path(path).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(event.to_dict()) + "\n" for event in self.events)

    def _per_frame(self, values: Sequence[int]) -> NDArray[np.int64]:
        frames = np.full(self.n_frames, -1, dtype=np.int64)
        for segment, value in zip(self.segments, values, strict=True):
            frames[segment.start_frame : segment.end_frame] = value
        return frames


@dataclass(frozen=True, eq=False)
class SegmentationPlan:
    """What to send for one recording.

    Attributes:
        config: The stream to open.
        frames: ``(T, C)`` values, or ``(T, J, 3)`` positions of joints.
        timestamps: ``(T,)`` seconds, or None.
        realtime: Whether frames are sent as slowly as they were captured.
    """

    config: StreamConfig
    frames: NDArray[np.generic]
    timestamps: NDArray[np.float64] | None
    realtime: bool

    def pieces(self) -> Iterator[tuple[float, NDArray[np.generic], NDArray[np.float64] | None]]:
        """Frames and timestamps to send one after another, each with the seconds since the start when it is due."""
        rate = self.config.rate
        step = max(1, round(self.config.chunk_s * rate)) if self.realtime else 4096
        for start in range(0, len(self.frames), step):
            rows = slice(start, start + step)
            last = min(start + step, len(self.frames)) - 1
            due_s = last / rate if self.timestamps is None else float(self.timestamps[last] - self.timestamps[0])
            yield due_s, self.frames[rows], None if self.timestamps is None else self.timestamps[rows]

    def result(
        self, items: Sequence[Event | FrameResult | Reconnected], processed: int, profile: dict[str, Any] | None = None
    ) -> Segmentation:
        """The segmentation, from all that the stream answered, and its profile if asked for.

        Raises:
            Unavailable: The stream was ended when only so many frames had been `processed`.
        """
        found = Segmentation.from_items(items, rate=self.config.rate, n_frames=len(self.frames), profile=profile)
        found.summary.raise_for_early_end(processed, len(self.frames))
        return found


def plan_segmentation(
    recording: Recording | ArrayLike,
    *,
    models: Sequence[Model],
    rate: float | None,
    channels: Sequence[str],
    model: str,
    latency_s: float | None,
    boundary_threshold: float | None,
    alarms_per_hour: float | None,
    reports_per_hour: float | None,
    frame_results: bool,
    decisions: Decisions,
    session_id: str,
    realtime: bool,
    chunk_s: float | None,
    profile: Mapping[str, Any] | None = None,
    return_profile: bool = False,
    rules: str | Path = "",
) -> SegmentationPlan:
    """What to send to have a recording segmented; see `Client.segment` for arguments and errors."""
    chosen = choose_model(models, text("model", model))
    realtime, names = flag("realtime", realtime), channel_names(channels)
    source = _as_recording(recording)
    joints = None
    if source is None:
        if isinstance(recording, str | Path):
            raise InvalidRequest(
                f"recording is the name of a file: give kineseg.motion.read({str(recording)!r})", field="recording"
            )
        frames = real_numbers(cast("ArrayLike", recording), "recording")
        timestamps = None
        if frames.ndim == 1 and chosen.takes_any_channels:
            frames = frames[:, None]
        if frames.ndim != 2:
            hint = "; joints (frames, joints, 3) go in as a kineseg.motion.Recording" if frames.ndim == 3 else ""
            raise InvalidRequest(
                f"an array of frames has shape (frames, channels), got {frames.shape}{hint}", field="recording"
            )
        if rate is None:
            raise InvalidRequest("an array does not know its rate: give rate= in frames per second", field="rate")
        if not names and chosen.takes_any_channels:
            names = tuple(f"channel_{i}" for i in range(frames.shape[1]))
    else:
        if rate is not None or names:
            raise InvalidRequest(
                "a recording has its own rate and channels: leave rate= and channels= out", field="rate"
            )
        sent = ModelInput.of(source, chosen)
        frames, timestamps, rate = sent.frames, source.timestamps, source.rate
        names, joints = sent.channels, sent.joints
    config = StreamConfig(
        rate=rate,
        channels=names,
        joints=joints,
        model=chosen.name,
        session_id=session_id,
        latency_s=latency_s,
        boundary_threshold=boundary_threshold,
        alarms_per_hour=alarms_per_hour,
        reports_per_hour=reports_per_hour,
        frame_results=frame_results,
        decisions=decisions,
        chunk_s=chunk_s if chunk_s is not None else _LIVE_CHUNK_S if realtime else _FILE_CHUNK_S,
        profile=profile,
        return_profile=return_profile,
        rules=rules,
    )
    return SegmentationPlan(config=config, frames=frames, timestamps=timestamps, realtime=realtime)


def choose_model(models: Sequence[Model], name: str) -> Model:
    """The server's model of that name; empty: its default.

    Raises:
        NotFound: There is none such.
    """
    for model in models:
        if model.name == name or (not name and model.is_default):
            return model
    known = ", ".join(model.name for model in models) or "none at all"
    raise NotFound(
        f"the server has no {f'model {name!r}' if name else 'default model'}; it has: {known}", field="model"
    )


def _as_recording(recording: Recording | ArrayLike) -> Recording | None:
    from kineseg.motion import Recording

    return recording if isinstance(recording, Recording) else None
