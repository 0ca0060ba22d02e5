"""Compiles all that streams need, so that none has to wait for it: a minute or two, or a moment where it is cached."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kineseg_core.anomalies.warm_up import warm_up as warm_up_anomalies
from kineseg_core.boundary_network import BoundaryNetwork, NetworkFile
from kineseg_core.generic.warm_up import warm_up as warm_up_patterns
from kineseg_core.inference.put_states import put_states
from kineseg_core.intake.warm_up import warm_up as warm_up_intake
from kineseg_core.segmenter.warm_up import warm_up as warm_up_segmenter
from kineseg_core.session.quiet_rows import QuietRows


class Streams(NamedTuple):
    """Which there may be beside those of joints to a trained model.

    Attributes:
        channels: Those of channels.
        scratch: Those to the built-in model.
    """

    channels: bool = True
    scratch: bool = True


ALL = Streams()


def warm_up(network: BoundaryNetwork, file: NetworkFile, streams: Streams = ALL) -> None:
    """Takes, watches and segments a little of everything that there may be.

    Args:
        network: What looks at candidates.
        file: It as it is kept.
        streams: Those for which all is to be ready.
    """
    warm_up_steps()
    warm_up_segmenter(network, file)
    if streams.scratch:
        warm_up_patterns(network)
    warm_up_anomalies(channels=streams.channels)
    warm_up_intake()


def warm_up_steps() -> None:
    """What steps of any streams need beside their segmenters, with a recogniser's scores and without."""
    rows, numbers = np.zeros(1, np.int64), np.zeros((1, 1), np.float32)
    QuietRows(1).note(rows, np.zeros((1, 2), np.int64), ())
    for outputs in (2, 3):
        put_states(numbers, rows, numbers, (numbers,) * outputs, rows.copy())
