"""Finds boundaries by how far apart a stream's moments lie: a small network looks at each candidate several times."""

from kineseg_core.boundary_network.block_ring import BlockRing, CoarseLook, Look
from kineseg_core.boundary_network.coarse import CoarseRings
from kineseg_core.boundary_network.decider import BoundaryDecider, Decided, Provisional
from kineseg_core.boundary_network.file import NetworkFile, packaged_network
from kineseg_core.boundary_network.network import Ask, BoundaryNetwork
from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.boundary_network.views import StreamViews, ViewPlan

__all__ = [
    "Ask",
    "BlockRing",
    "BoundaryDecider",
    "BoundaryNetwork",
    "CoarseLook",
    "CoarseRings",
    "Decided",
    "Look",
    "NetworkFile",
    "OperatingPoint",
    "Provisional",
    "StreamViews",
    "ViewPlan",
    "packaged_network",
]
