"""The segmenters of many streams of few channels at once: their numbers in arrays, taken through a step by a kernel.

What is decided is what `PatternSegmenter` decides, to the last bit.
"""

from kineseg_core.generic.table.plan import PatternTablePlan
from kineseg_core.generic.table.row import RowPatterns
from kineseg_core.generic.table.table import PatternTable

__all__ = ["PatternTable", "PatternTablePlan", "RowPatterns"]
