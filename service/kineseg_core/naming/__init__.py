"""Names of segments: by the classes of a recogniser, and by examples that were taught, kept in a label bank."""

from kineseg_core.naming.bank import Example, LabelBank, Taught
from kineseg_core.naming.known import KnownNames
from kineseg_core.naming.name import UNKNOWN, Name
from kineseg_core.naming.namer import Namer
from kineseg_core.naming.settings import NamingSettings

__all__ = ["UNKNOWN", "Example", "KnownNames", "LabelBank", "Name", "Namer", "NamingSettings", "Taught"]
