"""Who sends faster than a motion goes on is ahead; who sends as it goes on never is, whatever its network does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kineseg_service.streams.credit import Credit


@given(
    rate=st.floats(1.0, 1000.0),
    waits=st.lists(st.floats(0.0, 8.0), min_size=1, max_size=50),
    faster=st.floats(0.8, 1.2),
)
def test_a_live_stream_is_not_ahead_however_its_frames_bunch(rate: float, waits: list[float], faster: float) -> None:
    """What its source has made by then comes at any time, up to some seconds of it at once."""
    now = 0.0
    credit = Credit(rate, now)
    sent = 0
    for wait in waits:
        now += wait
        made = int(now * rate * faster)
        assert not credit.spend(made - sent, now)
        sent = made


@given(rate=st.floats(1.0, 1000.0), times=st.floats(1.5, 100.0), chunk_s=st.floats(0.05, 1.0))
def test_who_sends_faster_is_ahead_and_soon_in_time_again(rate: float, times: float, chunk_s: float) -> None:
    now = 0.0
    credit = Credit(rate, now)
    frames = max(1, round(chunk_s * rate))
    ahead = False
    while now < 20.0:
        ahead = credit.spend(frames, now)
        now += frames / rate / times
    assert ahead
    began = now
    while ahead and now < began + 20.0:
        now += frames / rate
        ahead = credit.spend(frames, now)
    assert not ahead


def test_what_is_sent_again_to_another_server_is_not_ahead() -> None:
    assert not Credit(100.0, 0.0, goes_on=True).spend(800, 0.0)
    assert Credit(100.0, 0.0).spend(800, 0.0)
