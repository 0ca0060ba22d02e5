"""The batcher: oldest first, at most so many, each once."""

from hypothesis import given
from hypothesis import strategies as st
from kineseg_service.scheduler.batcher import Batcher


@given(arrivals=st.lists(st.integers(0, 50), max_size=60), most=st.integers(1, 20))
def test_batches_take_the_oldest_first(arrivals: list[int], most: int) -> None:
    batcher: Batcher[object] = Batcher()
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
