"""Names of segments: by the classes of a recogniser, and by examples that were taught, kept in a label bank."""

from kineseg_service.naming.bank import Example, LabelBank, Taught
from kineseg_service.naming.known import KnownNames
from kineseg_service.naming.name import UNKNOWN, Name
from kineseg_service.naming.namer import Namer
from kineseg_service.naming.settings import NamingSettings

__all__ = ["UNKNOWN", "Example", "KnownNames", "LabelBank", "Name", "Namer", "NamingSettings", "Taught"]
