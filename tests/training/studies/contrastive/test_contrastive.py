"""Streams joined from clips, and encoders trained on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from kineseg_training.data import Clip, Corpus
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.contrastive import JoinSettings, Pool, TrainingSettings, draw_stream, train_encoder
from kineseg_training.studies.contrastive.encoder import contrastive_loss, prediction_loss, scatter_loss

RATE = 30.0
SMALL = TrainingSettings(steps=25, batch=6, hidden=16, join=JoinSettings(seconds=4.0))


@pytest.fixture(scope="module")
def pool(corpus: Corpus) -> Pool:
    return Pool.of(corpus.clips, corpus.channels, RATE)


def test_a_stream_says_which_frames_are_one_action(pool: Pool) -> None:
    stream = draw_stream(pool, JoinSettings(seconds=20.0, mixed=0.0), np.random.default_rng(0))
    assert stream.frames.shape == (600, len(pool.channels))
    assert np.isfinite(stream.frames).all()
    cuts = np.flatnonzero(np.diff(stream.action)) + 1
    assert len(cuts) >= 2
    # A segment is at least as long as was asked for, less half a passage at each end.
    assert np.diff(cuts).min() >= 2.0 * RATE - 11
    assert set(np.unique(stream.kind)) == {0, 1}
    for action in np.unique(stream.action):
        assert len(np.unique(stream.kind[stream.action == action])) == 1


def test_one_action_passes_into_the_next() -> None:
    high, low = (Clip(f"{name}/clip", np.full((90, 2), value), RATE) for name, value in (("high", 1.0), ("low", -1.0)))
    pool = Pool.of([high, low], ("a", "b"), RATE)
    how = JoinSettings(seconds=20.0, noise=0.0, mixed=0.0, proportions=0.0, mirror=False, blend_s=0.3)
    stream = draw_stream(pool, how, np.random.default_rng(1))
    steps = np.abs(np.diff(stream.frames[:, 0]))
    assert steps.max() == pytest.approx(2.0 / 10)  # nine frames in between
    # The change of number is in the middle of the passage.
    changes = np.flatnonzero(np.diff(stream.kind)) + 1
    assert len(changes) >= 2
    assert np.abs(stream.frames[changes, 0]).max() < 0.5


def test_equal_generators_draw_equal_streams(pool: Pool) -> None:
    one, other = (draw_stream(pool, JoinSettings(), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.frames, other.frames)
    np.testing.assert_array_equal(one.action, other.action)


def test_a_mixed_action_is_of_no_kind(pool: Pool) -> None:
    stream = draw_stream(pool, JoinSettings(mixed=1.0), np.random.default_rng(0))
    assert set(np.unique(stream.kind)) == {-1}


def test_one_kind_alone_is_refused(corpus: Corpus) -> None:
    of_legs = [clip for clip in corpus.clips if "/legs/" in f"/{clip.name}"]
    assert of_legs
    with pytest.raises(DataError, match="two at least, each in its own folder"):
        Pool.of(of_legs, corpus.channels, RATE)
    with pytest.raises(DataError, match=r"0 kind\(s\)"):
        Pool.of([Clip("a/b", np.zeros((5, 3)), RATE)], ("x", "y", "z"), RATE)


def test_folders_may_hold_the_same_kind(corpus: Corpus) -> None:
    with pytest.raises(DataError, match=r"1 kind\(s\)"):
        Pool.of(corpus.clips, corpus.channels, RATE, same={"legs": "arms"})


@pytest.mark.parametrize(("name", "value"), [("shortest_s", 0.0), ("blend_s", 3.0), ("seconds", 0.0), ("mixed", 1.5)])
def test_settings_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=name):
        replace(JoinSettings(), **{name: value})  # type: ignore[arg-type]


def test_contrast_falls_when_actions_come_apart() -> None:
    action = torch.tensor([0, 0, 0, 1, 1, 1])
    kind = torch.tensor([3, 3, 3, 4, 4, 4])
    time = torch.tensor([0, 20, 40, 0, 20, 40])
    rng = torch.Generator().manual_seed(0)
    points = torch.randn(6, 2, generator=rng)
    apart = points + 5.0 * action[:, None]
    losses = [contrastive_loss(p, action, kind, time, temperature=1.0, apart=10) for p in (points, apart)]
    assert losses[1] < losses[0]


def test_actions_of_one_kind_are_not_pushed_apart() -> None:
    action, time = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 20, 0, 20])
    points = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))

    def loss(kind: list[int]) -> float:
        return float(contrastive_loss(points, action, torch.tensor(kind), time, temperature=1.0, apart=10))

    assert loss([5, 5, 5, 5]) == 0.0
    assert loss([5, 5, 6, 6]) > 0.1
    assert loss([-1, -1, -1, -1]) > 0.1  # mixed actions are of no kind but their own


def test_nothing_to_compare_costs_nothing() -> None:
    one = torch.zeros(4, dtype=torch.int64)
    assert contrastive_loss(torch.randn(4, 2), one, one, torch.arange(4), temperature=1.0, apart=1) == 0.0


def test_scatter_is_even_when_actions_scatter_alike() -> None:
    action = torch.arange(2).repeat_interleave(200)
    points = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    alike, _ = scatter_loss(points, action)
    unlike, _ = scatter_loss(points * (1.0 + 9.0 * action[:, None]), action)
    assert alike < 0.1 < unlike


def test_what_follows_a_join_is_not_asked_for() -> None:
    frames = torch.cumsum(torch.ones(1, 40, 2), dim=1) / 10.0
    action = (torch.arange(40) >= 20).long()[None]
    jump = frames.clone()
    jump[:, 20:] += 3.0  # only seen across the join
    ahead = torch.zeros(1, 40, 1, 2)
    kept = prediction_loss(ahead, frames, action, (5,), 0)
    torch.testing.assert_close(kept, torch.tensor(1.0))
    torch.testing.assert_close(prediction_loss(ahead, jump, action, (5,), 0), kept)


def test_training_learns_to_predict_and_is_repeatable(pool: Pool) -> None:
    encoder, again = (train_encoder(pool, replace(SMALL, contrast=1.0, even_scatter=0.1)) for _ in range(2))
    for one, other in zip(encoder.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=0.0)
    untrained = train_encoder(pool, replace(SMALL, steps=0))
    rng = np.random.default_rng(99)
    streams = [draw_stream(pool, SMALL.join, rng) for _ in range(6)]
    frames = torch.from_numpy(np.stack([s.frames for s in streams])).float()
    action = torch.from_numpy(np.stack([s.action for s in streams]))
    normalised = encoder.predictor.normalise(frames)
    with torch.no_grad():
        before, after = (
            prediction_loss(each(normalised)[1], normalised, action, each.settings.horizons, 15)
            for each in (untrained, encoder)
        )
    assert float(before) == pytest.approx(len(encoder.settings.horizons))  # it predicts that nothing moves
    assert after < 0.97 * before


def test_a_trace_does_not_look_ahead(pool: Pool) -> None:
    encoder = train_encoder(pool, replace(SMALL, steps=1))
    frames = draw_stream(pool, SMALL.join, np.random.default_rng(0)).frames
    whole, half = encoder.trace(frames, (15,)), encoder.trace(frames[:60], (15,))
    assert whole["state"].shape == (120, 16)
    assert whole["projection"].shape == (120, 32)
    assert whole["ahead"].shape == (120, len(pool.channels))
    for name, values in half.items():
        np.testing.assert_allclose(whole[name][:60], values, atol=1e-5)
    with pytest.raises(SettingsError, match="not predicted"):
        encoder.trace(frames, (7,))
