"""Live sources: frames as they come from capture software, sensors, commands and files.

    async with kineseg.sources.open_source("vmc://0.0.0.0:39539") as source:
        async for frames in source:
            print(frames.info.rate, frames.values.shape)

Needs the plain install, and for some protocols an extra of their own; docs/sources has a page for each.
"""

from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.errors import SourceError, SourceLost, Unreadable
from kineseg.sources.frames import Frames, Layout, Sample, SourceInfo
from kineseg.sources.registry import open_source, schemes
from kineseg.sources.source import Decoder, Endpoint, Health, Inlet, LiveSource, Source

__all__ = [
    "Decoder",
    "Endpoint",
    "Expectations",
    "Frames",
    "Health",
    "Inlet",
    "Layout",
    "LiveSource",
    "Sample",
    "Source",
    "SourceAddress",
    "SourceError",
    "SourceInfo",
    "SourceLost",
    "Unreadable",
    "open_source",
    "schemes",
]
