"""The built-in model `scratch`: it segments any signal, and all it knows of it is the stream itself."""

from kineseg_core.generic.decoders import ScratchDecoders
from kineseg_core.generic.model import FAMILY, MOST_CHANNELS, SCRATCH, VERSION, scratch_bundle
from kineseg_core.generic.opening import scratch_plan, scratch_segmenter
from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_segmenter import PatternSegmenter
from kineseg_core.generic.plan import ScratchPlan

__all__ = [
    "FAMILY",
    "MOST_CHANNELS",
    "SCRATCH",
    "VERSION",
    "PatternPlan",
    "PatternSegmenter",
    "ScratchDecoders",
    "ScratchPlan",
    "scratch_bundle",
    "scratch_plan",
    "scratch_segmenter",
]
