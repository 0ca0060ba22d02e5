"""The decoder: rows do not know their batch, slots are lent once, bad rows stay where they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.errors import Full
from kineseg_core.inference.bundle import Bundle, load_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.providers import CPU, CUDA, cuda_problem, open_cpu
from kineseg_core.inference.state_table import F32, HostTable

from tests.core.cpu_device import on_cpu_device
from tests.core.tiny_bundle import TinyModel, run_alone, write_tiny_bundle

MODELS = {
    "operators": TinyModel(),
    "wide": TinyModel(channels=59, hidden=64, embedding=17),
    "odd": TinyModel(channels=61, hidden=101, embedding=19),
    "gru": TinyModel(channels=59, hidden=64, embedding=17, fused=True),
    "recogniser": TinyModel(channels=59, embedding=17, classes=tuple(f"action {i}" for i in range(8))),
    "open sizes": TinyModel(channels=5, classes=("a", "b"), open_sizes=True),
}


@pytest.fixture(scope="module", params=MODELS)
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "b", MODELS[request.param]))


def frames_for(bundle: Bundle, *shape: int, seed: int = 0) -> F32:
    random = np.random.default_rng(seed)
    return random.standard_normal((*shape, len(bundle.channels))).astype(np.float32)


def host(bundle: Bundle, slots: int = 200, max_batch: int = 128) -> HostTable:
    return HostTable(bundle, open_cpu(bundle.graph, 1), slots, max_batch)


def test_a_row_is_bit_for_bit_the_same_in_every_batch(bundle: Bundle) -> None:
    frames = frames_for(bundle, 4, 128)
    whole, parts = host(bundle), host(bundle)
    assert whole.uneven == []
    everyone = np.arange(128)
    for step, frame in enumerate(frames):
        expected = whole.step(everyone, frame)
        # The second table steps the same streams in batches of 1, 2, 3 ... rows, in another order.
        order = np.random.default_rng(step).permutation(128)
        at, size = 0, 1 + step
        while at < 128:
            rows = order[at : at + size]
            got = parts.step(rows, frame[rows])
            assert (got.embedding == expected.embedding[rows]).all()
            assert (got.surprise == expected.surprise[rows]).all()
            assert (got.scores is None) == (expected.scores is None) == (not bundle.classes)
            if got.scores is not None and expected.scores is not None:
                assert (got.scores == expected.scores[rows]).all()
            at, size = at + size, size + 1


def test_the_table_equals_onnx_runtime_alone(bundle: Bundle) -> None:
    frames = frames_for(bundle, 20, 5)
    table = host(bundle)
    slots = np.array([7, 0, 199, 3, 50])
    embedding = np.empty((20, 5, bundle.embedding_dim), np.float32)
    surprise = np.empty((20, 5), np.float32)
    scores = np.empty((20, 5, len(bundle.classes)), np.float32)
    for at, frame in enumerate(frames):
        stepped = table.step(slots, frame)
        embedding[at], surprise[at] = stepped.embedding, stepped.surprise
        if stepped.scores is not None:
            scores[at] = stepped.scores
    for stream in range(5):
        alone = run_alone(bundle.graph, frames[:, stream], bundle.state_size)
        assert (embedding[:, stream] == alone["embedding"]).all()
        assert (surprise[:, stream] == alone["surprise"]).all()
        if bundle.classes:
            assert (scores[:, stream] == alone["scores"]).all()


@pytest.mark.parametrize("make", [host, on_cpu_device])
def test_a_bad_row_stays_where_it_was_and_harms_no_other(tiny: Path, make: type[HostTable]) -> None:
    bundle = load_bundle(tiny)
    frames = frames_for(bundle, 3, 4)
    disturbed, calm = make(bundle), make(bundle)
    slots = np.arange(4)
    disturbed.step(slots, frames[0])
    calm.step(slots, frames[0])
    poisoned = frames[1].copy()
    poisoned[2] = np.inf
    assert disturbed.step(slots, poisoned).bad_rows == [2]
    others = np.array([0, 1, 3])
    calm.step(others, frames[1][others])
    # Row 2 has not advanced in either.
    a, b = disturbed.step(slots, frames[2]), calm.step(slots, frames[2])
    assert a.bad_rows == b.bad_rows == []
    np.testing.assert_array_equal(a.embedding, b.embedding)


def test_without_cuda_auto_takes_the_cpu_and_cuda_says_why_not(tiny: Path) -> None:
    problem = cuda_problem()
    if not problem:
        pytest.skip("there is a CUDA device")
    bundle = load_bundle(tiny)
    assert Decoder(bundle, "auto").provider == CPU
    with pytest.raises(RuntimeError) as caught:
        Decoder(bundle, "cuda")
    assert problem in str(caught.value)


def test_a_slot_is_lent_once_and_given_back_once(tiny: Path) -> None:
    decoder = Decoder(load_bundle(tiny), "cpu", slots=2)
    first, second = decoder.acquire(), decoder.acquire()
    assert first.slot != second.slot
    with pytest.raises(Full, match="'tiny'"):
        decoder.acquire()
    assert decoder.release(first)
    third = decoder.acquire()
    assert third.slot == first.slot
    assert not decoder.release(first)
    assert decoder.free_slots == 0
    assert decoder.release(third)
    assert not decoder.release(third)
    assert decoder.free_slots == 1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60))
def test_whatever_the_order_no_slot_is_lent_twice(tiny: Path, moves: list[tuple[bool, int]]) -> None:
    decoder = Decoder(load_bundle(tiny), "cpu", slots=4, max_batch=4)
    every, held = [], []
    for take, which in moves:
        if take and decoder.free_slots:
            every.append(decoder.acquire())
            held.append(every[-1])
        elif every:
            lease = every[which % len(every)]
            assert decoder.release(lease) == (lease in held)
            held = [other for other in held if other != lease]
        assert len({lease.slot for lease in held}) == len(held) == 4 - decoder.free_slots


def test_the_next_holder_of_a_slot_starts_from_the_initial_state(tiny: Path) -> None:
    bundle = load_bundle(tiny)
    decoder = Decoder(bundle, "cpu", slots=1)
    frames = frames_for(bundle, 6, 1)
    runs = []
    for _ in range(2):
        lease = decoder.acquire()
        slots = np.array([lease.slot])
        runs.append(np.stack([decoder.step(slots, frame).embedding.copy() for frame in frames]))
        decoder.release(lease)
    np.testing.assert_array_equal(runs[0], runs[1])


def test_warming_up_leaves_no_trace(tiny: Path) -> None:
    bundle = load_bundle(tiny)
    warm, cold = Decoder(bundle, "cpu", slots=3, max_batch=8), Decoder(bundle, "cpu", slots=3, max_batch=8)
    warm.warm_up()
    assert warm.free_slots == 3
    frame = frames_for(bundle, 1)
    a, b = (decoder.step(np.array([decoder.acquire().slot]), frame).embedding for decoder in (warm, cold))
    np.testing.assert_array_equal(a, b)


def test_a_decoder_says_why_it_is_not_on_a_device(tiny: Path) -> None:
    asked = Decoder(load_bundle(tiny), "cpu", slots=2, max_batch=2)
    assert (asked.provider, asked.reason, asked.uneven) == (CPU, "asked for", [])
    found = Decoder(load_bundle(tiny), "auto", slots=2, max_batch=2)
    assert (found.reason == "") == (found.provider == CUDA)
