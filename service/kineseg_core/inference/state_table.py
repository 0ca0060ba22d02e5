"""The states of all streams in one preallocated array in main memory, stepped through ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.put_states import put_states
from kineseg_core.memory.sparse import sparse_zeros

F32 = NDArray[np.float32]


class Step(NamedTuple):
    """What a step of one stream gives. The arrays are views that hold until the next step.

    Attributes:
        embedding: (E,).
        surprise: About the frame, given the prediction before it.
        scores: (K,) log-probabilities of a recogniser's classes; none for other models.
    """

    embedding: F32
    surprise: float
    scores: F32 | None = None


class Stepped(NamedTuple):
    """What one step of B streams gives. The arrays are views that hold until the next step.

    Attributes:
        embedding: (B, E).
        surprise: (B,).
        bad_rows: Rows whose outputs are not finite; their streams' states have not advanced.
        scores: (B, K) log-probabilities of a recogniser's classes; none for other models.
    """

    embedding: F32
    surprise: F32
    bad_rows: list[int]
    scores: F32 | None = None

    def of(self, rows: list[int]) -> Stepped:
        """The same of some rows, all of them good."""
        scores = None if self.scores is None else self.scores[rows]
        return Stepped(self.embedding[rows], self.surprise[rows], [], scores)

    def one(self, row: int) -> Step:
        """The same of a stream."""
        return Step(self.embedding[row], float(self.surprise[row]), None if self.scores is None else self.scores[row])


class StateTable(Protocol):
    """States of streams, by slot."""

    def reset(self, slot: int) -> None:
        """Puts a slot into the initial state, zeros."""

    def get(self, slot: int) -> F32:
        """A copy of a slot's state, (S,)."""

    def put(self, slot: int, state: F32) -> None:
        """Puts a slot into a state that `get` gave, (S,)."""

    def step(self, slots: NDArray[np.int64], frames: F32) -> Stepped:
        """Steps the streams in `slots` (B,), each given once, by one frame each: `frames` (B, C)."""


def random_frames(bundle: Bundle, *shape: int) -> F32:
    """Frames as a model's might be, always the same: ``(*shape, C)``."""
    norm = bundle.manifest.normalization
    noise = np.random.default_rng(0).standard_normal((*shape, len(bundle.channels)))
    return (np.asarray(norm.mean) + np.asarray(norm.scale) * noise).astype(np.float32)


class HostTable:
    """States in main memory.

    Args:
        bundle: The model.
        session: Its graph, opened on the CPU.
        slots: How many streams there is room for.
        max_batch: The largest B.
    """

    def __init__(self, bundle: Bundle, session: ort.InferenceSession, slots: int, max_batch: int) -> None:
        C, S, E = len(bundle.channels), bundle.state_size, bundle.embedding_dim
        self._session = session
        self._table = sparse_zeros((slots, S), np.float32)
        self._buffers: dict[str, F32] = {
            "frame": np.zeros((max_batch, C), np.float32),
            "state": np.zeros((max_batch, S), np.float32),
            "embedding": np.zeros((max_batch, E), np.float32),
            "surprise": np.zeros(max_batch, np.float32),
            "next_state": np.zeros((max_batch, S), np.float32),
        }
        if bundle.classes:
            self._buffers["scores"] = np.zeros((max_batch, len(bundle.classes)), np.float32)
        self._outputs = tuple(
            self._buffers[name].reshape(max_batch, -1)
            for name in ("embedding", "surprise", "scores")
            if name in self._buffers
        )
        self._bad = np.zeros(max_batch, np.int64)
        self._max_batch = max_batch
        self._bindings: dict[int, ort.IOBinding] = {}
        self._multiple = 1
        self._multiple, self.uneven = self._find_multiple(bundle)

    def reset(self, slot: int) -> None:
        """Puts a slot into the initial state, zeros."""
        self._table[slot] = 0.0

    def get(self, slot: int) -> F32:
        """A copy of a slot's state, (S,)."""
        state: F32 = self._table[slot].copy()
        return state

    def put(self, slot: int, state: F32) -> None:
        """Puts a slot into a state that `get` gave, (S,)."""
        self._table[slot] = state

    def step(self, slots: NDArray[np.int64], frames: F32) -> Stepped:
        """Steps the streams in `slots` (B,), each given once, by one frame each: `frames` (B, C)."""
        n = len(slots)
        buffers = self._buffers
        buffers["frame"][:n] = frames
        # "clip" only because numpy buffers `out` under "raise"; slots are always in range.
        self._table.take(slots, axis=0, out=buffers["state"][:n], mode="clip")
        self._run(n)
        bad = put_states(self._table, slots, buffers["next_state"], self._outputs, self._bad)
        scores = buffers["scores"][:n] if "scores" in buffers else None
        return Stepped(buffers["embedding"][:n], buffers["surprise"][:n], self._bad[:bad].tolist(), scores)

    def _run(self, n: int) -> None:
        """Runs the graph over the first n rows of the buffers, padded to the multiple."""
        size = min(-(-n // self._multiple) * self._multiple, self._max_batch)
        if size > n:
            self._buffers["frame"][n:size] = 0.0
            self._buffers["state"][n:size] = 0.0
        # A binding for each batch size, over the same buffers: measured 10 us a step faster than `run`.
        binding = self._bindings.get(size)
        if binding is None:
            binding = self._bindings[size] = self._bind(size)
        self._session.run_with_iobinding(binding)

    def _bind(self, size: int) -> ort.IOBinding:
        binding = self._session.io_binding()
        for name, buffer in self._buffers.items():
            rows = buffer[:size]
            bind = binding.bind_input if name in ("frame", "state") else binding.bind_output
            bind(name, "cpu", 0, np.float32, rows.shape, rows.ctypes.data)
        return binding

    def _find_multiple(self, bundle: Bundle) -> tuple[int, list[str]]:
        """To which multiple batches must be padded so that a row's result does not depend, bit for bit, on its batch.

        Found with ONNX Runtime 1.31 on x86-64 with AVX-512: Gemm, MatMul, Sigmoid, Tanh and GRU give a row the same
        bits in every batch from 1 to 128 and at every place in it (multiple 1), but ReduceMean and ReduceSum over an
        odd number of columns do not, whatever the padding: their order of adding follows the row's alignment. Other
        processors run other kernels, so each table looks for itself.

        Returns the multiple, and the outputs for which none helps.
        """
        frames = random_frames(bundle, 2, self._max_batch)
        names = tuple(name for name in self._buffers if name not in ("frame", "state"))

        def run(first: int, n: int, states: F32) -> dict[str, F32]:
            self._buffers["frame"][:n] = frames[1, first : first + n]
            self._buffers["state"][:n] = states[first : first + n]
            self._run(n)
            return {name: self._buffers[name][:n].copy() for name in names}

        self._buffers["frame"][:] = frames[0]
        self._buffers["state"][:] = 0.0
        self._run(self._max_batch)
        states = self._buffers["next_state"].copy()
        largest = self._max_batch
        sizes = [n for n in (1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 31, 32, 47, 64, 65, 100, largest) if n <= largest]
        uneven: set[str] = set()
        for multiple in (1, 2, 4, 8, 16):
            self._multiple = multiple
            uneven = set()
            whole = run(0, largest, states)
            for at, n in enumerate(sizes):
                first = (0, min(3, largest - n), largest - n)[at % 3]
                part = run(first, n, states)
                uneven |= {name for name in names if (part[name] != whole[name][first : first + n]).any()}
            if not uneven:
                return multiple, []
        return 1, sorted(uneven)
