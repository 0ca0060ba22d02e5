"""The batcher: oldest first, at most so many, each once."""

from hypothesis import given
from hypothesis import strategies as st
from kineseg_service.scheduler.batcher import Batcher
from kineseg_service.scheduler.turns import Turns


@given(arrivals=st.lists(st.integers(0, 50), max_size=60), most=st.integers(1, 20))
def test_batches_take_the_oldest_first(arrivals: list[int], most: int) -> None:
    batcher: Batcher[object] = Batcher(Turns())
    # Streams cannot be compared with each other: only their arrivals count, and among equals who was added first.
    streams = {object(): (arrival, added) for added, arrival in enumerate(arrivals)}
    for stream, (arrival, _) in streams.items():
        batcher.add(arrival, stream)
    taken = []
    while batcher:
        batch = batcher.take(most)
        assert len(batch) == min(most, len(streams) - len(taken))
        taken += batch
    assert [streams[stream] for stream in taken] == sorted(streams.values())


def test_those_that_are_ahead_step_last_few_at_once_and_now_and_then_even_so() -> None:
    now = 0.0
    batcher: Batcher[str] = Batcher(Turns(lambda: now))
    for at in range(200):
        batcher.add(at, f"ahead {at}", ahead=True)
    assert batcher.take(128) == [f"ahead {at}" for at in range(128)]  # no one else has been there
    batcher.add(300, "live")
    now = 0.01
    assert batcher.take(128) == ["live"]
    assert not batcher.hurries
    few = batcher.take(128)
    assert 0 < len(few) < 20
    batcher.add(301, "live")
    now = 0.05
    assert batcher.take(128) == ["live"]
    batcher.add(302, "live")
    now = 0.07
    assert batcher.take(128)[:2] == ["live", f"ahead {128 + len(few)}"]
    now = 2.0
    assert len(batcher.take(128)) == 200 - 128 - 2 * len(few)
