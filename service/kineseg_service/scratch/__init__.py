"""The built-in model `scratch`: it segments any signal, and all it knows of it is the stream itself."""

from kineseg_service.scratch.decider import PatternSegmenter
from kineseg_service.scratch.decoders import ScratchDecoders
from kineseg_service.scratch.model import FAMILY, MOST_CHANNELS, SCRATCH, VERSION, scratch_bundle
from kineseg_service.scratch.opening import scratch_plan, scratch_segmenter
from kineseg_service.scratch.plan import Plan

__all__ = [
    "FAMILY",
    "MOST_CHANNELS",
    "SCRATCH",
    "VERSION",
    "PatternSegmenter",
    "Plan",
    "ScratchDecoders",
    "scratch_bundle",
    "scratch_plan",
    "scratch_segmenter",
]
