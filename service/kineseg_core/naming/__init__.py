"""Names of segments: by the classes of a recogniser, and by examples that were taught, kept in a name bank."""

from kineseg_core.naming.bank import Example, NameBank, NamedExamples
from kineseg_core.naming.known import KnownNames
from kineseg_core.naming.name import UNKNOWN, Name
from kineseg_core.naming.namer import Namer
from kineseg_core.naming.settings import NamingSettings

__all__ = ["UNKNOWN", "Example", "KnownNames", "Name", "NameBank", "NamedExamples", "Namer", "NamingSettings"]
