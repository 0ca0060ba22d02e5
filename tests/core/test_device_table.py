"""Tables on a device do what the one in main memory does, and a server takes them only where they do and are faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from kineseg_core.errors import CannotStart
from kineseg_core.inference import choice
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.inference.choice import expected_batches
from kineseg_core.inference.cuda import CudaDevice
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.device_table import DeviceTable
from kineseg_core.inference.providers import CPU, CUDA, cuda_problem, open_cpu
from kineseg_core.inference.state_table import F32, HostTable, StateTable
from kineseg_core.inference.table_graph import table_graph

from tests.core.cpu_device import CpuArray, CpuDevice, on_cpu_device
from tests.core.tiny_bundle import TinyModel, write_tiny_bundle

MODELS = {
    "wide": TinyModel(channels=59, hidden=64, embedding=17),
    "gru": TinyModel(channels=59, hidden=64, embedding=17, fused=True),
    "recogniser": TinyModel(channels=59, embedding=17, classes=tuple(f"action {i}" for i in range(8))),
    "open sizes": TinyModel(open_sizes=True),
}
SLOTS, MAX_BATCH = 200, 100


@pytest.fixture(scope="module", params=MODELS)
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "b", MODELS[request.param]))


def host_table(bundle: Bundle) -> HostTable:
    return HostTable(bundle, open_cpu(bundle.graph, 1), SLOTS, MAX_BATCH)


def do_the_same(bundle: Bundle, one: StateTable, other: StateTable, steps: int, tolerance: float) -> None:
    """Steps both: random slots, bad rows, resets, and states that go from slot to slot and from one to the other."""
    random = np.random.default_rng(3)
    for step in range(steps):
        slots = random.permutation(SLOTS)[: random.integers(1, MAX_BATCH + 1)]
        frames = random.standard_normal((len(slots), len(bundle.channels))).astype(np.float32)
        bad = [len(slots) // 2] if step % 5 == 0 else []
        frames[bad, 0] = np.nan if step % 2 else np.inf
        if step % 7 == 0:
            one.reset(int(slots[0]))
            other.reset(int(slots[0]))
        if step % 3 == 0:
            source, target = random.permutation(SLOTS)[:2].tolist()
            states = one.get(source), other.get(source)
            np.testing.assert_allclose(*states, rtol=0, atol=tolerance)
            other.put(target, states[0])
            one.put(target, states[0])
            assert (other.get(target) == states[0]).all()
        a, b = one.step(slots, frames), other.step(slots, frames)
        assert a.bad_rows == b.bad_rows == bad
        good = np.setdiff1d(np.arange(len(slots)), bad)
        for name in ("embedding", "surprise", *(["scores"] if bundle.classes else [])):
            got = getattr(b, name)
            assert got.flags.c_contiguous
            np.testing.assert_allclose(getattr(a, name)[good], got[good], rtol=tolerance, atol=tolerance)
    for slot in range(SLOTS):
        np.testing.assert_allclose(one.get(slot), other.get(slot), rtol=0, atol=tolerance)


def test_a_table_on_a_device_equals_the_one_in_main_memory(bundle: Bundle) -> None:
    do_the_same(bundle, host_table(bundle), on_cpu_device(bundle, SLOTS, MAX_BATCH), 60, 1e-5)


@pytest.mark.gpu
def test_a_table_on_cuda_equals_the_one_in_main_memory(bundle: Bundle) -> None:
    if problem := cuda_problem():
        pytest.skip(problem)
    do_the_same(bundle, host_table(bundle), DeviceTable(bundle, CudaDevice(), SLOTS, MAX_BATCH), 300, 1e-4)


@pytest.mark.gpu
def test_a_table_on_cuda_can_be_stepped_by_one_thread_after_another(tiny: Path) -> None:
    if problem := cuda_problem():
        pytest.skip(problem)
    bundle = load_bundle(tiny)
    here, there = host_table(bundle), DeviceTable(bundle, CudaDevice(), SLOTS, MAX_BATCH)
    frames = np.random.default_rng(0).standard_normal((12, 3, 3)).astype(np.float32)
    found: list[F32] = []
    for frame in frames:
        # As many threads as steps: what is captured in one is unknown to the next.
        thread = threading.Thread(target=lambda: found.append(there.step(np.arange(3), frame).embedding.copy()))  # noqa: B023
        thread.start()
        thread.join()
    for frame, embedding in zip(frames, found, strict=True):
        np.testing.assert_allclose(embedding, here.step(np.arange(3), frame).embedding, rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
def test_on_cuda_the_model_of_the_package_gives_what_it_gives_on_the_cpu() -> None:
    if problem := cuda_problem():
        pytest.skip(problem)
    path = packaged_bundle()
    if path is None:
        pytest.skip("no bundle is packaged")
    bundle = load_bundle(path)
    do_the_same(bundle, host_table(bundle), DeviceTable(bundle, CudaDevice(), SLOTS, MAX_BATCH), 300, 1e-3)


@pytest.mark.parametrize("on_device", [False, True])
def test_a_state_goes_from_slot_to_slot(tiny: Path, on_device: bool) -> None:
    bundle = load_bundle(tiny)
    frames = np.random.default_rng(0).standard_normal((6, 1, 3)).astype(np.float32)

    def table() -> StateTable:
        return on_cpu_device(bundle, 3, 2) if on_device else HostTable(bundle, open_cpu(bundle.graph, 1), 3, 2)

    one, other = table(), table()
    assert not one.get(2).any()
    other.step(np.array([1]), frames[5])
    for frame in frames[:3]:
        one.step(np.array([2]), frame)
    state = one.get(2)
    beside = other.get(1)
    other.put(0, state)
    assert (other.get(0) == state).all()
    assert (other.get(1) == beside).all()
    for frame in frames[3:]:
        assert (one.step(np.array([2]), frame).embedding == other.step(np.array([0]), frame).embedding).all()
        assert (one.get(2) == other.get(0)).all()


def test_the_first_run_of_a_size_may_step_twice_without_harm(tiny: Path) -> None:
    """As a device does that captures its runs: once to take its memory, and once when the captured run is replayed."""
    bundle = load_bundle(tiny)

    class Capturing:
        """A session whose first run with a "gpu_graph_id" in a thread runs twice."""

        def __init__(self, graph: bytes) -> None:
            self._session = open_cpu(graph, 1)
            self._captured = threading.local()

        def io_binding(self) -> object:
            return self._session.io_binding()

        def run_with_iobinding(self, binding: object, options: object) -> None:
            graph_id = options.get_run_config_entry("gpu_graph_id")  # type: ignore[attr-defined]
            captured = self._captured.__dict__.setdefault("ids", {})
            for _ in range(1 if graph_id in captured else 2):
                self._session.run_with_iobinding(binding, options)
            # What is replayed is bound to what it was bound to when it was captured.
            assert captured.setdefault(graph_id, binding) is binding

    table = DeviceTable(bundle, CpuDevice(Capturing), SLOTS, MAX_BATCH)
    with_threads = DeviceTable(bundle, CpuDevice(Capturing), SLOTS, MAX_BATCH)
    do_the_same(bundle, host_table(bundle), table, 30, 1e-5)
    here = host_table(bundle)
    for frame in np.random.default_rng(0).standard_normal((9, 5, 3)).astype(np.float32):
        found: list[F32] = []
        thread = threading.Thread(target=lambda: found.append(with_threads.step(np.arange(5), frame).embedding.copy()))  # noqa: B023
        thread.start()
        thread.join()
        np.testing.assert_allclose(found[0], here.step(np.arange(5), frame).embedding, rtol=1e-5, atol=1e-6)


def test_a_step_sends_one_array_and_gets_one_back(bundle: Bundle) -> None:
    graph = onnx.load_model_from_string(table_graph(bundle)).graph
    assert [value.name for value in graph.input] == ["table", "rows"]
    assert [value.name for value in graph.output] == ["results", "next_table"]


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[CpuArray]], None]:
    """Makes the CPU the CUDA device, with arrays of some type."""

    def make(arrays: type[CpuArray]) -> None:
        class Device(CpuDevice):
            def __init__(self, *, captured: bool) -> None:
                super().__init__()

            def array(self, *shape: int) -> CpuArray:
                return arrays(shape)

        monkeypatch.setattr(choice, "cuda_problem", lambda: "")
        monkeypatch.setattr(choice, "CudaDevice", Device)

    return make


class SlowArray(CpuArray):
    def read(self, numbers: F32, at: int = 0) -> None:
        time.sleep(0.02)
        super().read(numbers, at)


class WrongArray(CpuArray):
    def read(self, numbers: F32, at: int = 0) -> None:
        super().read(numbers, at)
        numbers[...] += 0.01


def test_where_the_cpu_is_faster_auto_takes_it_and_says_so(tiny: Path, cuda: Callable[[type[CpuArray]], None]) -> None:
    cuda(SlowArray)
    bundle = load_bundle(tiny)
    found = Decoder(bundle, "auto", slots=64, max_batch=32)
    assert found.provider == CPU
    assert found.reason.startswith("the CPU is faster: ")
    assert "ms a step of 1, 2, 10 streams" in found.reason
    asked = Decoder(bundle, "cuda", slots=64, max_batch=32)
    assert (asked.provider, asked.reason) == (CUDA, "")


def test_a_device_that_gives_other_numbers_is_not_used(tiny: Path, cuda: Callable[[type[CpuArray]], None]) -> None:
    cuda(WrongArray)
    bundle = load_bundle(tiny)
    found = Decoder(bundle, "auto", slots=8, max_batch=4)
    assert (found.provider, found.reason) == (CPU, "its embedding is not what the CPU gives")
    with pytest.raises(CannotStart, match="its embedding is not what the CPU gives"):
        Decoder(bundle, "cuda", slots=8, max_batch=4)


def test_having_been_tried_out_leaves_no_trace(tiny: Path, cuda: Callable[[type[CpuArray]], None]) -> None:
    cuda(SlowArray)
    bundle = load_bundle(tiny)
    tried, other = Decoder(bundle, "auto", slots=4, max_batch=4), Decoder(bundle, "cpu", slots=4, max_batch=4)
    frame = np.ones((1, 3), np.float32)
    one, two = (decoder.step(np.array([decoder.acquire().slot]), frame).embedding for decoder in (tried, other))
    assert (one == two).all()


def test_batches_to_be_expected_are_those_of_a_tick(tiny: Path) -> None:
    bundle = load_bundle(tiny)  # of 30 frames a second
    assert expected_batches(bundle, slots=1024, max_batch=128) == [8, 32, 128]
    assert expected_batches(bundle, slots=1024, max_batch=4096) == [10, 38, 154]
    assert expected_batches(bundle, slots=1, max_batch=128) == [1]


def test_a_model_that_cannot_be_captured_runs_on_cuda_all_the_same(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    class Device(CpuDevice):
        def __init__(self, *, captured: bool) -> None:
            super().__init__()
            tried.append(captured)
            if captured:
                raise RuntimeError("This session cannot use the graph capture feature")

    monkeypatch.setattr(choice, "cuda_problem", lambda: "")
    monkeypatch.setattr(choice, "CAPTURES", True)
    monkeypatch.setattr(choice, "CudaDevice", Device)
    found = Decoder(load_bundle(tiny), "cuda", slots=8, max_batch=4)
    assert (found.provider, found.reason, tried) == (CUDA, "", [True, False])
