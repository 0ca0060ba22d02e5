"""Decoders of the built-in model, made when a stream needs them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from weakref import WeakValueDictionary

from kineseg_service.config import Settings

from kineseg_core.generic.model import scratch_bundle
from kineseg_core.generic.plan import Plan
from kineseg_core.inference.decoder import Decoder

_KEPT = 8


class ScratchDecoders:
    """Makes decoders on the CPU; streams of one plan share one, and the latest few are kept. For any thread.

    Args:
        settings: The server's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._living: WeakValueDictionary[Plan, Decoder] = WeakValueDictionary()  # kept, or used by a stream
        self._kept: OrderedDict[Plan, Decoder] = OrderedDict()
        self._making = threading.Lock()

    def get(self, plan: Plan) -> Decoder:
        """The decoder for that plan; making one takes some tens of milliseconds."""
        with self._making:
            decoder = self._living.get(plan)
            if decoder is None:
                decoder = Decoder(
                    scratch_bundle(plan),
                    "cpu",  # its graphs are small: what a device would save, copying to it would cost
                    slots=self._settings.max_sessions,
                    max_batch=self._settings.max_batch,
                    threads=self._settings.intra_op_threads,
                )
                decoder.warm_up()
                self._living[plan] = decoder
            self._kept[plan] = decoder
            self._kept.move_to_end(plan)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return decoder
