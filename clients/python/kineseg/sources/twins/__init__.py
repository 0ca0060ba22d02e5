"""Twins of capture software: they send a recording as that would, so that all can be tried without hardware."""

from kineseg.sources.twins.player import Faults, Player
from kineseg.sources.twins.registry import open_twin, twin_schemes

__all__ = ["Faults", "Player", "open_twin", "twin_schemes"]
