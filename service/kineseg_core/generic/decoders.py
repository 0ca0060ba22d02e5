"""Decoders of the built-in model, made when a stream needs them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakValueDictionary

from kineseg_core.generic.model import scratch_bundle
from kineseg_core.generic.plan import ScratchPlan
from kineseg_core.inference.decoder import Decoder

_KEPT = 8


class ScratchDecoders:
    """Makes decoders on the CPU; streams of one plan share one, and the latest few are kept. For any thread.

    Args:
        slots: How many streams of one plan there is room for.
        max_batch: The most streams in one step.
        threads: Threads within a step.
        made: Is called with every decoder that is made.
    """

    def __init__(
        self, *, slots: int, max_batch: int, threads: int = 1, made: Callable[[Decoder], object] = lambda decoder: None
    ) -> None:
        self._slots = slots
        self._max_batch = max_batch
        self._threads = threads
        self._made = made
        self._living: WeakValueDictionary[ScratchPlan, Decoder] = WeakValueDictionary()  # kept, or used by a stream
        self._kept: OrderedDict[ScratchPlan, Decoder] = OrderedDict()
        self._making = threading.Lock()

    def get(self, plan: ScratchPlan) -> Decoder:
        """The decoder for that plan; making one takes some tens of milliseconds."""
        with self._making:
            decoder = self._living.get(plan)
            if decoder is None:
                decoder = Decoder(
                    scratch_bundle(plan),
                    "cpu",  # its graphs are small: what a device would save, copying to it would cost
                    slots=self._slots,
                    max_batch=self._max_batch,
                    threads=self._threads,
                )
                self._made(decoder)
                decoder.warm_up()
                self._living[plan] = decoder
            self._keep(plan, decoder)
            return decoder

    def found(self, plan: ScratchPlan) -> Decoder | None:
        """The same without waiting; none: it would have to be made, or others are being made."""
        if not self._making.acquire(blocking=False):
            return None
        try:
            decoder = self._living.get(plan)
            if decoder is not None:
                self._keep(plan, decoder)
            return decoder
        finally:
            self._making.release()

    def _keep(self, plan: ScratchPlan, decoder: Decoder) -> None:
        self._kept[plan] = decoder
        self._kept.move_to_end(plan)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
