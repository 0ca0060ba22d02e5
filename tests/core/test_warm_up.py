"""Before a server serves, every batch size that its tables plan for has been stepped; on CUDA in full precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from kineseg_core.inference import choice, providers
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.providers import CPU, CUDA, session_options

from tests.core.cpu_device import CpuDevice


class Binding(ort.IOBinding):  # type: ignore[misc]
    """Remembers how many rows the frames have that are bound to it."""

    rows = 0

    def bind_input(self, name: str, *arguments: Any) -> None:
        if name == "frame":
            self.rows = arguments[3][0]
        super().bind_input(name, *arguments)

    def bind_ortvalue_input(self, name: str, value: ort.OrtValue) -> None:
        if name == "rows":
            self.rows = value.shape()[0]
        super().bind_ortvalue_input(name, value)


class Recorded(ort.InferenceSession):  # type: ignore[misc]
    """Remembers which bindings it has run."""

    def __init__(self, graph: bytes) -> None:
        super().__init__(graph, session_options(1), providers=[CPU])
        self.ran: list[Binding] = []

    def io_binding(self) -> Binding:
        return Binding(self)

    def run_with_iobinding(self, iobinding: Binding, run_options: object = None) -> None:
        self.ran.append(iobinding)
        super().run_with_iobinding(iobinding, run_options)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    """The sessions of the decoders that the test makes; what would run on CUDA runs on the CPU."""
    made: list[Recorded] = []

    def opened(graph: bytes, threads: int = 1) -> Recorded:
        made.append(Recorded(graph))
        return made[-1]

    monkeypatch.setattr(choice, "cuda_problem", lambda: "")
    monkeypatch.setattr(choice, "open_cpu", opened)
    monkeypatch.setattr(choice, "CudaDevice", lambda captured: CpuDevice(opened))
    return made


@pytest.mark.parametrize(("slots", "max_batch"), [(200, 128), (200, 100), (5, 128), (1, 1), (3, 3)])
def test_on_a_device_no_batch_needs_anything_new_afterwards(
    tiny: Path, sessions: list[Recorded], slots: int, max_batch: int
) -> None:
    bundle = load_bundle(tiny)
    warm = Decoder(bundle, "cuda", slots=slots, max_batch=max_batch)
    assert warm.provider == CUDA
    warm.warm_up()
    _, session = sessions  # the CPU's, and the device's
    ready = {id(binding) for binding in session.ran}
    sizes = {binding.rows for binding in session.ran}
    assert len(ready) == len(sizes)
    leases = [warm.acquire().slot for _ in range(min(slots, max_batch))]
    for n in range(1, len(leases) + 1):
        for _ in range(2):
            warm.step(np.array(leases[:n]), np.ones((n, len(bundle.channels)), np.float32))
    assert {id(binding) for binding in session.ran} == ready


def test_on_the_cpu_small_and_large_batches_are_stepped_in_a_few_steps(tiny: Path, sessions: list[Recorded]) -> None:
    warm = Decoder(load_bundle(tiny), "cpu", slots=5000, max_batch=4096)
    [session] = sessions
    session.ran.clear()
    warm.warm_up()
    assert {binding.rows for binding in session.ran} >= {1 << bits for bits in range(4, 13)}
    assert len(session.ran) <= 2 * 13


def test_cuda_is_asked_for_full_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Session:
        def __init__(self, graph: bytes, options: ort.SessionOptions, providers: list[object]) -> None:
            asked.extend(providers)

        def get_providers(self) -> list[str]:
            return [CUDA, CPU]

    monkeypatch.setattr(providers, "cuda_problem", lambda: "")
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort, "InferenceSession", Session)
    providers.open_cuda(b"")
    providers.open_cuda(b"", captured=True)
    full = {"use_tf32": "0"}
    assert asked == [(CUDA, full), CPU, (CUDA, full | {"enable_cuda_graph": "1"}), CPU]
