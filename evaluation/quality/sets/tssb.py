"""The development half of the Time Series Segmentation Benchmark: one sensor, change points, no actions."""

from __future__ import annotations

import csv
import json
import sys

import numpy as np
from kineseg.motion import Recording

from evaluation.quality.places import data_folder
from evaluation.quality.stream import AnnotatedStream

MODEL = "scratch"
CHANNEL = "value"


def load(_: tuple[int, ...] = ()) -> list[AnnotatedStream]:
    """The series; one annotated period counts as one second. Nothing in it is random, so there are no seeds."""
    path = data_folder("tssb") / "tssb_dev.csv"
    csv.field_size_limit(sys.maxsize)  # a whole series is one field
    streams = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            values = np.array(json.loads(row["time_series"]), dtype=np.float64)
            cuts = np.array(json.loads(row["change_points"]), dtype=np.float64)
            recording = Recording(
                frames=values[:, None], rate=float(row["window_size"]), channels=(CHANNEL,), name=row["dataset"]
            )
            streams.append(
                AnnotatedStream(
                    "tssb", row["dataset"], recording, np.repeat(cuts[:, None], 3, axis=1), None, model=MODEL
                )
            )
    return streams
