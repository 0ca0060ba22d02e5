"""What of an object is its state, said once in each class, and how that becomes plain values and objects again.

A class says by `keeps` which of its attributes change as a stream goes on, and which follow from how it was opened;
what is put into containers is a `record`. `Writer` makes a tree of plain values of an object, and `Reader` puts such a
tree into an object that was made anew in the same way. Reading makes nothing but plain values, arrays and records: no
name in a tree chooses what code runs.
"""

from kineseg_core.kept.declared import Kept, keeps, kept_of, record
from kineseg_core.kept.reader import MisfitError, Reader
from kineseg_core.kept.writer import CannotKeepError, Writer

__all__ = ["CannotKeepError", "Kept", "MisfitError", "Reader", "Writer", "keeps", "kept_of", "record"]
