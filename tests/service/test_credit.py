"""Who sends faster than a motion goes on is ahead; who sends as it goes on never is, whatever its network does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kineseg_service.streams.credit import Credit


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    rate=st.floats(1.0, 1000.0),
    waits=st.lists(st.floats(0.0, 8.0), min_size=1, max_size=50),
    faster=st.floats(0.8, 1.2),
)
def test_a_live_stream_is_not_ahead_however_its_frames_bunch(rate: float, waits: list[float], faster: float) -> None:
    """What its source has made by then comes at any time, up to some seconds of it at once."""
    clock = _Clock()
    credit = Credit(rate, clock=clock)
    sent = 0
    for wait in waits:
        clock.now += wait
        made = int(clock.now * rate * faster)
        assert not credit.spend(made - sent)
        sent = made


@given(rate=st.floats(1.0, 1000.0), times=st.floats(1.5, 100.0), chunk_s=st.floats(0.05, 1.0))
def test_who_sends_faster_is_ahead_and_soon_in_time_again(rate: float, times: float, chunk_s: float) -> None:
    clock = _Clock()
    credit = Credit(rate, clock=clock)
    frames = max(1, round(chunk_s * rate))
    ahead = False
    while clock.now < 20.0:
        ahead = credit.spend(frames)
        clock.now += frames / rate / times
    assert ahead
    began = clock.now
    while ahead and clock.now < began + 20.0:
        clock.now += frames / rate
        ahead = credit.spend(frames)
    assert not ahead


def test_what_is_sent_again_to_another_server_is_not_ahead() -> None:
    assert not Credit(100.0, goes_on=True, clock=_Clock()).spend(800)
    assert Credit(100.0, clock=_Clock()).spend(800)
