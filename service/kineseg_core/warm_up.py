"""Compiles all that streams need, so that none has to wait for it: a minute or two, or a moment where it is cached."""

from __future__ import annotations

from typing import NamedTuple

from kineseg_core.anomalies.warm_up import warm_up as warm_up_anomalies
from kineseg_core.boundary_network import BoundaryNetwork, NetworkFile
from kineseg_core.generic.warm_up import warm_up as warm_up_patterns
from kineseg_core.intake.warm_up import warm_up as warm_up_intake
from kineseg_core.segmenter.warm_up import warm_up as warm_up_segmenter


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
    warm_up_segmenter(network, file)
    if streams.scratch:
        warm_up_patterns(network)
    warm_up_anomalies(channels=streams.channels)
    warm_up_intake()
