"""Tables in text files: their dialects, their headers, their columns."""

from kineseg.motion.tables.reader import TableLayout, read_table

__all__ = ["TableLayout", "read_table"]
