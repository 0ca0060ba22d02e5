"""The built-in model, served: any channels, any rate, and nothing known beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from kineseg import (
    AnomalyRaised,
    Client,
    InvalidRequest,
    MissingValues,
    Segmentation,
    SegmentClosed,
    ServerFull,
    WrongChannels,
)
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer
from numpy.typing import NDArray

from tests.same_events import content

Values = NDArray[np.float64]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    settings = Settings(port=0, metrics_port=None, packaged_bundle=False, log_level="error")
    with BackgroundServer(settings) as server, Client(server.address) as client:
        yield client


def regimes(rate: float, *, seconds: float = 30.0, seed: int = 0) -> Values:
    """A sine, then a train of arches at about the same rhythm, then the sine again."""
    t = np.arange(round(3 * seconds * rate)) / rate
    sine, arches = np.sin(2 * np.pi * t / 1.3), 2 * np.abs(np.sin(np.pi * t / 1.1)) - 1
    wave = np.where((t < seconds) | (t >= 2 * seconds), sine, arches)
    return np.asarray(wave + 0.1 * np.random.default_rng(seed).standard_normal(len(t)))


def starts_s(found: Segmentation) -> list[float]:
    return [segment.start_time_s for segment in found.segments]


@pytest.mark.parametrize("rate", [5, 10, 250, 1000])
def test_three_regimes_are_cut_and_the_first_comes_back(client: Client, rate: float) -> None:
    found = client.segment(regimes(rate), rate=rate, model="scratch")
    assert starts_s(found) == pytest.approx([0, 30, 60], abs=6)
    first, second, third = (segment.label for segment in found.segments)
    assert first == third != second
    assert not any(isinstance(event, AnomalyRaised) for event in found.events)


@pytest.mark.parametrize("latency_s", [0.5, 5.0])
def test_no_boundary_is_decided_later_than_the_budget_allows(client: Client, latency_s: float) -> None:
    found = client.segment(regimes(20), rate=20, model="scratch", latency_s=latency_s)
    assert len(found.boundaries) == 2
    late = np.subtract(found.decided_frames, found.boundaries) / 20
    assert (late >= 0).all()
    assert (late <= latency_s).all()


@pytest.mark.parametrize(("factor", "offset"), [(1e6, 0.0), (1e-6, 3.0)])
def test_units_and_origin_do_not_matter(client: Client, factor: float, offset: float) -> None:
    found = client.segment((regimes(10) + offset) * factor, rate=10, model="scratch")
    assert starts_s(found) == pytest.approx([0, 30, 60], abs=6)


@pytest.mark.parametrize(("channels", "rate"), [(1, 1), (3, 24), (5, 250), (512, 30), (3, 1000)])
def test_noise_of_any_width_and_rate_is_one_segment(client: Client, channels: int, rate: float) -> None:
    noise = np.random.default_rng(1).standard_normal((round(max(20 * rate, 200)), channels))
    found = client.segment(noise, rate=rate, model="scratch")
    assert [(s.start_frame, s.end_frame) for s in found.segments] == [(0, len(noise))]


def test_a_change_of_level_alone_is_reported(client: Client) -> None:
    t = np.arange(900) / 10
    values = np.sin(2 * np.pi * t / 1.3) + 3 * (t >= 45) + 0.1 * np.random.default_rng(2).standard_normal(900)
    assert starts_s(client.segment(values, rate=10, model="scratch")) == pytest.approx([0, 45], abs=5)


@pytest.mark.parametrize("value", [0.0, 1e6])
def test_what_never_changes_is_one_segment_without_anomalies(client: Client, value: float) -> None:
    found = client.segment(np.full(1200, value), rate=10, model="scratch")
    assert len(found.segments) == 1
    assert not any(isinstance(event, AnomalyRaised) for event in found.events)


def test_a_constant_channel_and_missing_values_beside_a_living_one(client: Client) -> None:
    wave = regimes(10)
    frames = np.stack([wave, np.full_like(wave, 7.0), np.where(np.arange(len(wave)) % 9 == 4, np.nan, wave)], axis=1)
    frames[400:420, 2] = np.nan
    found = client.segment(frames, rate=10, model="scratch", channels=["wave", "still", "holes"])
    assert starts_s(found) == pytest.approx([0, 30, 60], abs=6)
    assert {event.channels for event in found.events if isinstance(event, MissingValues)} == {("holes",)}


def test_a_spike_is_an_anomaly_and_the_same_beat_again_is_not(client: Client) -> None:
    t = np.arange(1200) / 10
    beats = np.where(np.arange(1200) % 12 == 0, 1.0, 0.0) + 0.02 * np.random.default_rng(3).standard_normal(len(t))
    beats[900] += 6
    found = client.segment(beats, rate=10, model="scratch")
    (anomaly,) = [event for event in found.events if isinstance(event, AnomalyRaised)]
    assert anomaly.frame == 900
    assert anomaly.decided_frame <= 901  # the second difference is largest on the way back


def test_live_and_whole_give_the_same_whatever_the_chunks(client: Client) -> None:
    wave = regimes(50, seconds=7)
    whole = client.segment(wave, rate=50, model="scratch", frame_results=True)
    with client.stream(rate=50, model="scratch", channels=["a"], frame_results=True, chunk_s=0.02) as stream:
        for start in range(0, len(wave), 7):
            stream.send(wave[start : start + 7, None])
        stream.end_input()
        items = list(stream)
    live = Segmentation.from_items(items, rate=50, n_frames=len(wave))
    assert content(live.events) == content(whole.events)
    for one, other in zip(live.frame_results, whole.frame_results, strict=True):
        np.testing.assert_array_equal(one.embedding, other.embedding)


def test_streams_of_many_shapes_at_once_do_not_disturb_each_other(client: Client) -> None:
    shapes = [(1, 10), (1, 10), (2, 10), (1, 25), (6, 30)]
    data = [
        np.stack([regimes(rate, seconds=8, seed=at + c) for c in range(channels)], axis=1)
        for at, (channels, rate) in enumerate(shapes)
    ]
    alone = [client.segment(d, rate=rate, model="scratch") for d, (_, rate) in zip(data, shapes, strict=True)]
    streams = []
    for d, (channels, rate) in zip(data, shapes, strict=True):
        names = [f"channel_{i}" for i in range(channels)]
        streams.append((client.stream(rate=rate, model="scratch", channels=names).open(), d))
    for part in range(40):
        for stream, d in streams:
            stream.send(d[part * len(d) // 40 : (part + 1) * len(d) // 40])
    for (stream, _), before in zip(streams, alone, strict=True):
        stream.end_input()
        closed = [event.segment for event in stream if isinstance(event, SegmentClosed)]
        assert closed == list(before.segments)
        stream.cancel()


def test_it_is_listed_and_described_when_opened(client: Client) -> None:
    (model,) = client.models()
    assert (model.name, model.channels, model.rate, model.embedding_dim) == ("scratch", (), 0, 0)
    assert model.is_default  # there is no other
    with client.stream(rate=250, model="scratch", channels=["emg", "ecg"]) as stream:
        opened = stream.opened
    assert opened is not None
    assert (opened.model.channels, opened.model.rate) == (("emg", "ecg"), 30)
    assert opened.model.embedding_dim > 0


@pytest.mark.parametrize("count", [0, 513])
def test_the_number_of_channels_is_bounded(client: Client, count: int) -> None:
    names = [f"c{i}" for i in range(count)]
    with pytest.raises(WrongChannels, match="1 to 512") as caught:
        client.stream(rate=30, model="scratch", channels=names).open()
    assert caught.value.field == "config.channels"


def test_names_must_be_of_sensible_length(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="200 characters"):
        client.stream(rate=30, model="scratch", channels=["x" * 5000]).open()


def test_it_can_be_turned_off() -> None:
    settings = Settings(port=0, metrics_port=None, packaged_bundle=False, scratch=False, log_level="error")
    with pytest.raises(ValueError, match="no model to serve"), BackgroundServer(settings):
        pass


def test_too_many_shapes_at_once_are_refused_until_some_end(client: Client) -> None:
    streams = [client.stream(rate=10 + at / 10, model="scratch", channels=["a"]).open() for at in range(32)]
    try:
        with Client(client.address, retries=0) as other, pytest.raises(ServerFull, match="32 different"):
            other.stream(rate=20, model="scratch", channels=["a"]).open()
        same = client.stream(rate=1, model="scratch", channels=["b"]).open()  # as one of 10
        same.cancel()
    finally:
        for stream in streams:
            stream.cancel()
    found = client.segment(np.zeros((30, 2)), rate=20, model="scratch")
    assert len(found.segments) == 1
