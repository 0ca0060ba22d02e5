"""What the calls delegate to."""

from __future__ import annotations

from collections.abc import Mapping

from kineseg_core.generic import ScratchDecoders
from kineseg_core.inference.decoder import Decoder
from kineseg_core.opening import Opener

from kineseg_service.names.keeper import NameKeeper
from kineseg_service.streams.live import LiveStreams


class Rooms:
    """What the calls delegate to; there once the models have been loaded."""

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        opener: Opener,
        streams: LiveStreams,
        scratch: ScratchDecoders,
        names: NameKeeper,
    ) -> None:
        self.names = names
        self.decoders = decoders
        self.scratch = scratch
        self.opener = opener
        self.streams = streams
