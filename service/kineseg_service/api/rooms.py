"""What the calls delegate to."""

from __future__ import annotations

from collections.abc import Mapping

from kineseg_core.generic import ScratchDecoders
from kineseg_core.inference.decoder import Decoder
from kineseg_core.opening import Opener

from kineseg_service.names.keeper import NameKeeper
from kineseg_service.names.tenants import TenantNames
from kineseg_service.streams.keeping import Keeping
from kineseg_service.streams.live import LiveStreams
from kineseg_service.streams.tenants import TenantStreams


class Rooms:
    """What the calls of one tenant delegate to."""

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        opener: Opener,
        streams: LiveStreams,
        scratch: ScratchDecoders,
        names: NameKeeper,
        keeping: Keeping | None = None,
    ) -> None:
        self.keeping = keeping
        self.names = names
        self.decoders = decoders
        self.scratch = scratch
        self.opener = opener
        self.streams = streams


class TenantRooms:
    """What the calls of all tenants delegate to; there once the models have been loaded.

    Attributes:
        decoders: By name of the model.
        streams, names: Of all tenants.
    """

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        opener: Opener,
        streams: TenantStreams,
        scratch: ScratchDecoders,
        names: TenantNames,
        keeping: Keeping | None = None,
    ) -> None:
        self._keeping = keeping
        self.names = names
        self.decoders = decoders
        self._opener = opener
        self.streams = streams
        self._scratch = scratch

    def of(self, tenant: str) -> Rooms:
        """What is one tenant's, and nothing of another's.

        Raises:
            BadBank: Its name bank cannot be used.
        """
        streams, names = self.streams.of(tenant), self.names.of(tenant)
        return Rooms(self.decoders, self._opener, streams, self._scratch, names, self._keeping)
