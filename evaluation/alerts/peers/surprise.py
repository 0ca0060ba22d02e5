"""Surprise: the ``anomaly_score`` that the service gives of every frame, of its packaged models in this process."""

from __future__ import annotations

import kineseg
import numpy as np
from kineseg.motion import Joints
from numpy.typing import NDArray

from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Alarm

Array = NDArray[np.float64]


class Surprise:
    """The score of the newest of the model's frames; 0 while there is none."""

    def __init__(self, stream: AlertStream) -> None:
        self.alarms: list[Alarm] = []
        recording = stream.recording
        if stream.is_body:
            skeleton = recording.skeleton
            joints = Joints(
                names=recording.joints,
                parents=skeleton.parents if skeleton else (),
                offsets=skeleton.offsets if skeleton else (),
                up=recording.up,
                mapping=recording.mapping,
            )
            self._segmenter = kineseg.Segmenter.load("motion", rate=recording.rate, joints=joints, frame_results=True)
        else:
            self._segmenter = kineseg.Segmenter.load(
                "scratch", rate=recording.rate, channels=recording.channels, frame_results=True
            )
        self._score = 0.0

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        items = self._segmenter.update(values, timestamps=times)
        found = [(item.time_s, item.anomaly_score) for item in items if isinstance(item, kineseg.FrameResult)]
        # A frame's score is known with the first frame sent at or after its time.
        moments = np.array([time_s for time_s, _ in found])
        known = np.array([self._score, *(score for _, score in found)])
        self._score = float(known[-1])
        return np.asarray(known[np.searchsorted(moments, times + 1e-6)])
