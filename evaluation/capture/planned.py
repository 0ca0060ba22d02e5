"""Protocols whose senders have no clock, through their two ends with arrivals as they are planned.

Frames of these are placed by when they arrive. On a machine that is busy with other things that would measure the
machine: so no socket is used and no time passes, and the track gets the arrivals of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from kineseg.sources import Expectations, Frames, SourceInfo, Unreadable
from kineseg.sources.mocopi import MocopiDecoder
from kineseg.sources.neuron import NeuronDecoder
from kineseg.sources.recorded import Recorded
from kineseg.sources.track import Track
from kineseg.sources.twins import Faults
from kineseg.sources.twins.mocopi import MocopiEncoder
from kineseg.sources.twins.neuron import NeuronEncoder
from kineseg.sources.twins.vicon import ViconEncoder
from kineseg.sources.twins.vmc import VmcEncoder
from kineseg.sources.vicon import ViconDecoder
from kineseg.sources.vmc import VmcDecoder

ENDS: Mapping[str, tuple[Callable[[SourceInfo], Any], Callable[[], Any]]] = {
    "Sony mocopi": (MocopiEncoder, MocopiDecoder),
    "VMC": (VmcEncoder, VmcDecoder),
    "Vicon objects": (ViconEncoder, ViconDecoder),
    "Perception Neuron": (NeuronEncoder, NeuronDecoder),
}


def planned(name: str, take: Recorded, faults: Faults) -> list[Frames]:
    """What a source gives of a take that is played once, with the loss and the jitter of `faults`."""
    random = np.random.default_rng(faults.seed)
    make, read = ENDS[name]
    encoder, decoder, track = make(take.info), read(), Track("", Expectations(), {})
    pieces: list[Frames] = []
    arrived = 0
    for at, values in enumerate(take.values):
        time_ns = int(take.times_ns[at])
        late_ns = round(random.uniform(0.0, faults.jitter_s) * 1e9)
        arrived = max(arrived, 10**12 + time_ns + late_ns)
        if random.random() < faults.loss:
            continue
        for datagram in encoder.frame(values, at, time_ns / 1e9):
            try:
                for sample in decoder.decode(datagram):
                    pieces += track.add(sample, arrived)
            except Unreadable as error:
                raise RuntimeError(f"{name}: the source cannot read the twin: {error}") from error
    return [*pieces, *track.finish()]
