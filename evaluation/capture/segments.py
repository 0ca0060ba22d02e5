"""What is segmented of frames, in the time of the take that was played."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from kineseg import SegmentClosed, Segmenter
from kineseg.motion.joint_mapping import find_joints
from kineseg.sources import Frames, SourceInfo
from kineseg.sources.recorded import Recorded
from numpy.typing import NDArray

from evaluation.quality.robustness_compare import Result

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "": 1.0}


class OfTheFile:
    """What is segmented of a take itself, begun where a source has heard its first frame.

    Frames are brought to the model's rate from the first one on: one frame more or less moves every boundary a little.

    Args:
        take: The take.
    """

    def __init__(self, take: Recorded) -> None:
        self._take = take
        self._begun: dict[int, Result] = {}

    def begun_at(self, frame: int) -> Result:
        """The result from this frame on."""
        if frame not in self._begun:
            take = self._take
            whole = Frames(frame, take.values[frame:], take.times_ns[frame:], 0, take.info)
            self._begun[frame] = segmented([whole], take)
        return self._begun[frame]


def segmented(pieces: list[Frames], take: Recorded) -> Result:
    """The final segments; times are those of the take.

    Args:
        pieces: Of one performer; a source that changes its mind about the rate begins another stream, with labels of
            its own.
        take: What was played; its own frames: the result of the file.
    """
    starts: list[float] = []
    labels: list[int] = []
    for _, stream in groupby(pieces, key=lambda piece: piece.info.part):
        of_stream = list(stream)
        begins_s = begins_at(of_stream[0], take) / take.info.rate
        first_label = max(labels, default=-1) + 1
        for event in _closed(of_stream):
            starts.append(begins_s + event.start_time_s)
            labels.append(first_label + event.label)
    starts[:1] = [0.0]
    times = np.array(starts)
    return Result(times, np.array(labels), decided=times, duration_s=len(take.values) / take.info.rate)


def _closed(pieces: list[Frames]) -> list[SegmentClosed]:
    info, base = pieces[0].info, pieces[0].first_frame
    segmenter = Segmenter.load("motion", rate=info.rate, joints=info.joints, decisions="final")
    items: list[object] = []
    for piece in pieces:
        times = piece.capture_times_ns
        items += segmenter.update(piece.values, timestamps_ns=times, first_frame=piece.first_frame - base)
    items += segmenter.finish()
    return [item for item in items if isinstance(item, SegmentClosed)]


def begins_at(piece: Frames, take: Recorded) -> int:
    """Which frame of the take is the first of these: by the heights of the joints, which no protocol turns."""
    sent, came = _heights(take.info, take.values), _heights(piece.info, piece.values[:1])
    common = sorted(set(sent) & set(came))
    off = np.stack([np.abs(sent[joint] - came[joint][0]) for joint in common])
    return int(np.nanmax(off, axis=0).argmin())


def _heights(info: SourceInfo, values: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    joints = info.joints
    assert joints is not None
    found = find_joints(tuple(joints.names), joints.mapping)
    heights = values[..., "xyz".index(joints.up)].astype(np.float64) * _METRES[joints.unit]
    return {joint: heights[:, at] for joint, at in found.items()}
