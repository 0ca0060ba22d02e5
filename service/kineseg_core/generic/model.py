"""The built-in model as a bundle like any other, made for a number of channels and a rate when they are first seen."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from kineseg.v1 import bundle_pb2

from kineseg_core.generic.graph import step_graph
from kineseg_core.generic.plan import ScratchPlan
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.manifest import SCHEMA_VERSION

SCRATCH = "scratch"
VERSION = "1.1.0"
FAMILY = "scratch"
MOST_CHANNELS = 512
_REMEMBERED = 32
# Such that an error must be about twice the largest one of late to score high.
LOG_SURPRISE_MEDIAN, LOG_SURPRISE_SCALE = 0.2, 1.0


@lru_cache(maxsize=_REMEMBERED)
def scratch_bundle(plan: ScratchPlan) -> Bundle:
    """The model for that plan; its channels are numbered, since the names are each client's own."""
    graph = step_graph(plan).SerializeToString(deterministic=True)
    manifest = bundle_pb2.BundleManifest(
        schema_version=SCHEMA_VERSION,
        name=SCRATCH,
        version=VERSION,
        family=FAMILY,
        channels=[bundle_pb2.Channel(name=f"channel_{i}") for i in range(plan.channels)],
        frame_rate_hz=plan.rate_hz,
        normalization=bundle_pb2.Normalization(mean=[0.0] * plan.channels, scale=[1.0] * plan.channels),
        state=[bundle_pb2.StatePart(name=name, size=size) for name, size in plan.state],
        embedding_dim=plan.dims,
        calibration=bundle_pb2.Calibration(
            log_surprise_median=LOG_SURPRISE_MEDIAN, log_surprise_scale=LOG_SURPRISE_SCALE
        ),
    )
    return Bundle(Path(SCRATCH), manifest, graph, hashlib.sha256(graph).hexdigest())
