"""The segmenters of many streams at once: their numbers in arrays, taken through each step by compiled kernels.

What is decided is what `Segmenter` decides, to the last bit.
"""

from kineseg_core.segmenter.table.plan import TablePlan
from kineseg_core.segmenter.table.row_segmenter import RowSegmenter
from kineseg_core.segmenter.table.table import SegmenterTable

__all__ = ["RowSegmenter", "SegmenterTable", "TablePlan"]
