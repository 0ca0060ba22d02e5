"""What is kept of what has been sent is the same whether it is packed or not."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.events import Ack, Event, FrameResult, Output, SegmentClosed, SegmentRetracted
from kineseg_service.errors import ResumeExpired
from kineseg_service.streams.record import IN_FLIGHT_S, in_flight_since_ns, still_needed, written_output
from kineseg_service.streams.resumable import Seen, Sent
from kineseg_service.streams.written_outputs import WrittenOutputs

ALL = 1 << 20
KINDS = st.sampled_from(["event", "segment", "ack"])
LONG = st.lists(st.tuples(KINDS, st.integers(1, 40)), max_size=12)


def of_kinds(runs: list[tuple[str, int]], begin: int = 1) -> list[Output]:
    """So many of each kind, numbered from `begin` on; no two acknowledgements one after the other."""
    kinds = itertools.chain.from_iterable([kind] * (1 if kind == "ack" else count) for kind, count in runs)
    seqs = itertools.count(begin)
    merged = [kind for kind, _ in itertools.groupby(kinds, lambda kind: kind if kind == "ack" else object())]
    return [Ack(at) if kind == "ack" else event(next(seqs), kind) for at, kind in enumerate(merged)]  # type: ignore[arg-type]


def event(seq: int, kind: str = "event", sent_s: float = 0.0) -> Event:
    detail = (
        SegmentClosed(seq, 3, seq, seq + 40, 0.1 * seq, 0.1 * seq + 1.0, "walk", 0.5, 0.25, array("f", [seq / 3.0] * 8))
        if kind == "segment"
        else SegmentRetracted(seq)
    )
    ns = time.time_ns() - round(1e9 * sent_s)
    return Event("a stream", seq, ns, seq, 0.1 * seq, None, seq + 9, 0.1 * seq + 0.3, detail)


def filled(outputs: list[Output], most_bytes: int = ALL) -> Sent:
    sent = Sent(most_bytes)
    for output in outputs:
        sent.add(output)
    return sent


def after(outputs: list[Output], seq: int) -> list[Output]:
    """What comes after an event."""
    last = max((at for at, each in enumerate(outputs) if isinstance(each, Event) and each.seq <= seq), default=-1)
    return outputs[last + 1 :]


@settings(max_examples=60)
@given(LONG, st.integers(0, 300), LONG)
def test_what_a_client_has_not_got_comes_back_as_it_was(
    runs: list[tuple[str, int]], seen: int, more: list[tuple[str, int]]
) -> None:
    outputs = of_kinds(runs)
    sent = filled(outputs)
    assert [*sent.newest_first()] == outputs[::-1]
    again = sent.since(Seen(seen))
    assert again == after(outputs, seen)
    sent.take_back(len(again))
    left = outputs[: len(outputs) - len(again)]
    assert [*sent.newest_first()] == left[::-1]
    assert sent.size == filled(left).size
    for output in (following := [*again, *of_kinds([("event", 1), *more], begin=1000)]):
        sent.add(output)
    assert sent.since(Seen()) == [*left, *following]


def test_what_there_is_no_room_for_is_given_up_first() -> None:
    sent = filled(of_kinds([("event", 400)]), most_bytes=100 * 512)
    assert sent.size <= 100 * 512
    oldest = sent.trimmed.seq
    assert 300 <= oldest < 320
    assert [each.seq for each in sent.since(Seen(oldest)) if isinstance(each, Event)] == [*range(oldest + 1, 401)]
    with pytest.raises(ResumeExpired):
        sent.since(Seen(oldest - 1))


@pytest.mark.parametrize("result", [False, True])
def test_a_record_has_what_was_sent_lately(result: bool) -> None:
    def some(first: int, end: int, sent_s: float) -> list[Output]:
        made: list[Output] = []
        for seq in range(first, end):
            made.append(event(seq, sent_s=sent_s))
            made += [FrameResult(seq, 0.1, 0.2, 0.3, [0.5], 1)] if result else []
        return made

    sent = filled([*some(1, 100, 2 * IN_FLIGHT_S), *some(100, 130, 1.0)])
    before, outputs = still_needed(sent, some(130, 132, 0.0), in_flight_since_ns())
    assert before == Seen(99, 98 if result else -1)
    assert [each.seq for each in outputs if isinstance(each, Event)] == [*range(100, 132)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(LONG, st.integers(0, 40), st.integers(0, 12), st.booleans()), max_size=8),
    st.sampled_from([ALL, 24 * 512]),
)
def test_a_record_has_the_same_whether_or_not_some_was_written_before(
    turns: list[tuple[list[tuple[str, int]], int, int, bool]], most_bytes: int
) -> None:
    sent, written, waiting, now_ns = Sent(most_bytes), WrittenOutputs(), list[Output](), time.time_ns()
    seq = 0
    for runs, passed_s, waits, has_result in turns:
        now_ns += round(1e9 * passed_s)
        for output in of_kinds(runs, seq + 1):
            waiting.append(replace(output, emitted_unix_ns=now_ns) if isinstance(output, Event) else output)
            seq = output.seq if isinstance(output, Event) else seq
        waiting += [FrameResult(seq, 0.1, 0.2, 0.3, [0.5], 1)] if has_result and passed_s % 4 == 0 else []
        going = max(0, len(waiting) - waits)
        for output in waiting[:going]:
            sent.add(output)
        del waiting[:going]
        since_ns = now_ns - round(1e9 * IN_FLIGHT_S)
        before, outputs = still_needed(sent, waiting, since_ns)
        assert written.still_needed(sent, waiting, since_ns) == (before, [*map(written_output, outputs)])


def test_what_is_packed_takes_a_fraction_of_the_room() -> None:
    def taken(make: Callable[[list[Output]], object]) -> int:
        tracemalloc.start()
        kept = make(of_kinds([("segment", 1), ("event", 2)] * 200))
        room, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept
        return room

    assert 4 * taken(filled) < taken(list)
