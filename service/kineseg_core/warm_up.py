"""Compiles all that streams need, so that none has to wait for it: a minute or two, or a moment where it is cached."""

from __future__ import annotations

from kineseg_core.anomalies.warm_up import warm_up as warm_up_anomalies
from kineseg_core.boundary_network import BoundaryNetwork, NetworkFile
from kineseg_core.generic.warm_up import warm_up as warm_up_patterns
from kineseg_core.intake.warm_up import warm_up as warm_up_intake
from kineseg_core.segmenter.warm_up import warm_up as warm_up_segmenter


def warm_up(network: BoundaryNetwork, file: NetworkFile) -> None:
    """Takes, watches and segments a little of everything.

    Args:
        network: What looks at candidates.
        file: It as it is kept.
    """
    warm_up_segmenter(network, file)
    warm_up_patterns(network)
    warm_up_anomalies()
    warm_up_intake()
