"""The states of all streams kept on the device: one graph gathers, steps, checks and scatters them there."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.device import Device, DeviceArray
from kineseg_core.inference.state_table import F32, Stepped
from kineseg_core.inference.table_graph import table_graph


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one batch size needs: what is sent and what comes back, in main memory and on the device, and the run."""

    sent: F32
    sent_there: DeviceArray
    back: F32
    back_there: DeviceArray
    binding: ort.IOBinding
    options: ort.RunOptions


class _Batches(threading.local):
    """Batches by their size, of the thread that looks."""

    def __init__(self) -> None:
        self.by_size: dict[int, _Batch] = {}


class DeviceTable:
    """States on the device. A step sends one array there and gets one back; the table is stepped where it lies.

    Batches are padded to powers of two, so that few sizes are ever planned for; each padding row steps a spare slot of
    its own. ONNX Runtime keeps what a device has captured of a run for the thread that ran it, so every thread that
    steps prepares its sizes first: see `Decoder.warm_up`.

    Args:
        bundle: The model.
        device: Where it runs.
        slots: How many streams there is room for.
        max_batch: The largest B.
    """

    def __init__(self, bundle: Bundle, device: Device, slots: int, max_batch: int) -> None:
        self._device = device
        self._session = device.open(table_graph(bundle))
        self._size = bundle.state_size
        self._channels, self._dim, self._classes = len(bundle.channels), bundle.embedding_dim, len(bundle.classes)
        self._fresh = np.ones(slots, np.bool_)
        self._max_batch = max_batch
        # Less than half of a batch is padding.
        self._spare = np.arange(slots, slots + max(1, max_batch // 2))
        self._table = device.array(slots + len(self._spare), self._size)
        self._batches = _Batches()
        self._ids = itertools.count(1)

    def reset(self, slot: int) -> None:
        """Puts a slot into the initial state, zeros."""
        self._fresh[slot] = True

    def get(self, slot: int) -> F32:
        """A copy of a slot's state, (S,)."""
        state = np.zeros(self._size, np.float32)
        if not self._fresh[slot]:
            self._table.read(state, slot * self._size)
        return state

    def put(self, slot: int, state: F32) -> None:
        """Puts a slot into a state that `get` gave, (S,)."""
        self._table.write(np.ascontiguousarray(state, np.float32), slot * self._size)
        self._fresh[slot] = False

    def step(self, slots: NDArray[np.int64], frames: F32) -> Stepped:
        """Steps the streams in `slots` (B,), each given once, by one frame each: `frames` (B, C)."""
        n, C = len(slots), self._channels
        size = min(1 << (n - 1).bit_length(), self._max_batch)
        batch = self._batches.by_size.get(size)
        if batch is None:
            batch = self._batches.by_size[size] = self._prepare(size)
        sent = batch.sent
        sent[:n, :C] = frames
        sent[:n, C] = slots
        sent[:n, C + 1] = ~self._fresh[slots]
        sent[n:] = 0.0  # from zeros, so that nothing can build up in spare slots
        sent[n:, C] = self._spare[: size - n]
        self._run(batch)
        self._fresh[slots] = False
        at, after = size * self._dim, size * (self._dim + 1)
        embedding, surprise = batch.back[:at].reshape(size, self._dim)[:n], batch.back[at : at + n]
        good, scores = batch.back[after : after + n] > 0.5, batch.back[after + size :]
        bad = [] if good.all() else np.flatnonzero(~good).tolist()
        return Stepped(embedding, surprise, bad, scores.reshape(size, -1)[:n] if self._classes else None)

    def _prepare(self, size: int) -> _Batch:
        """A batch size for this thread.

        Its first run, which a device captures, may step more than once, and so it steps spare slots.
        """
        numbers = size * (self._dim + 2 + self._classes)
        sent, back = self._device.host_array(size, self._channels + 2), self._device.host_array(numbers)
        sent_there, back_there = self._device.array(*sent.shape), self._device.array(*back.shape)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input("rows", sent_there.value)
        binding.bind_ortvalue_input("table", self._table.value)
        binding.bind_ortvalue_output("results", back_there.value)
        binding.bind_ortvalue_output("next_table", self._table.value)
        options = ort.RunOptions()
        options.add_run_config_entry("gpu_graph_id", str(next(self._ids)))
        batch = _Batch(sent, sent_there, back, back_there, binding, options)
        sent[:, self._channels] = np.resize(self._spare, size)
        self._run(batch)
        return batch

    def _run(self, batch: _Batch) -> None:
        batch.sent_there.write(batch.sent)
        self._session.run_with_iobinding(batch.binding, batch.options)
        batch.binding.synchronize_outputs()
        batch.back_there.read(batch.back)
