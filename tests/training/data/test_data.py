"""The corpus: reading, splitting, varying, cutting into windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS
from kineseg_training.data import (
    Augmentation,
    Clip,
    Corpus,
    Source,
    augment,
    cut_windows,
    generated_actions,
    load_corpus,
    mirrored,
    resample,
    sample_windows,
    split_by_take,
)
from kineseg_training.data.augment import NO_AUGMENTATION
from kineseg_training.errors import DataError, SettingsError


def test_recordings_with_joints_become_canonical_pose(corpus: Corpus) -> None:
    assert [clip.name for clip in corpus.clips] == [
        f"{corpus.clips[0].name.split('/')[0]}/{kind}/{take}.npz" for kind in ("arms", "legs") for take in range(3)
    ]
    assert corpus.channels == CANONICAL_CHANNELS
    assert all(clip.rate == 60.0 for clip in corpus.clips)
    assert corpus.duration_s == pytest.approx(72.0, abs=0.5)


def test_the_fingerprint_follows_names_and_contents(recordings: Path, corpus: Corpus, tmp_path: Path) -> None:
    assert load_corpus(Source((recordings,))).fingerprint == corpus.fingerprint
    copy = tmp_path / recordings.name
    copy.mkdir()
    for path in recordings.rglob("*.npz"):
        (copy / path.parent.name).mkdir(exist_ok=True)
        (copy / path.parent.name / path.name).write_bytes(path.read_bytes())
    assert load_corpus(Source((copy,))).fingerprint == corpus.fingerprint
    (copy / "legs" / "0.npz").rename(copy / "legs" / "9.npz")
    assert load_corpus(Source((copy,))).fingerprint != corpus.fingerprint


def test_a_clip_of_cmu_loses_its_calibration_pose(cmu_folder: Path) -> None:
    clip = cmu_folder / "train" / "walking" / "walking_1.txt"
    whole = load_corpus(Source((clip,))).clips[0]
    without = load_corpus(Source((clip,), skip_first=1)).clips[0]
    assert whole.rate == without.rate == 120.0
    assert len(without.frames) == len(whole.frames) - 1
    # The calibration pose stands apart; the walk that follows is smooth.
    assert np.abs(whole.frames[1, :54] - whole.frames[0, :54]).max() > 0.1
    assert np.abs(np.diff(without.frames[:, :54], axis=0)).max() < 0.1


def test_generated_motion_can_be_added() -> None:
    corpus = load_corpus(Source(synthetic=2))
    assert [clip.name for clip in corpus.clips] == ["synthetic/000", "synthetic/001"]
    assert corpus.fingerprint == load_corpus(Source(synthetic=2)).fingerprint
    assert not np.array_equal(corpus.clips[0].frames[:100], corpus.clips[1].frames[:100])


def test_recordings_without_joints_keep_their_channels(tmp_path: Path) -> None:
    for take in range(2):
        rows = "\n".join(f"{np.sin(i / 5 + take)},{np.cos(i / 5)}" for i in range(40))
        (tmp_path / f"{take}.csv").write_text(f"gyro,accelerometer\n{rows}\n")
    corpus = load_corpus(Source((tmp_path,), file_rate=50.0))
    assert corpus.channels == ("gyro", "accelerometer")
    assert corpus.clips[0].rate == 50.0


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n3,4\n")
    with pytest.raises(DataError, match=r"b\.csv: has 2 channels .* share their channels"):
        load_corpus(Source((tmp_path,), file_rate=50.0))


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder.*--data"):
        load_corpus(Source((tmp_path / "nowhere",)))
    with pytest.raises(DataError, match="holds no recording"):
        load_corpus(Source((tmp_path,)))
    with pytest.raises(DataError, match="name a folder"):
        load_corpus(Source())
    (tmp_path / "broken.csv").write_text("x,y\n1,2\n3,nonsense\n")
    with pytest.raises(DataError, match=r"broken\.csv"):
        load_corpus(Source((tmp_path,), file_rate=50.0))


def test_more_skipped_than_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    with pytest.raises(DataError, match="has 2 frames, of which 2 are to be skipped"):
        load_corpus(Source((tmp_path,), file_rate=50.0, skip_first=2))
    with pytest.raises(SettingsError, match="skip_first must not be negative"):
        Source(skip_first=-1)


def test_a_split_holds_out_whole_takes_of_every_kind(corpus: Corpus) -> None:
    training, held_out = split_by_take(corpus.clips, 0.34, seed=0)
    assert {clip.name for clip in training} | {clip.name for clip in held_out} == {c.name for c in corpus.clips}
    assert len(held_out) == 2
    assert {clip.name.split("/")[1] for clip in held_out} == {"arms", "legs"}
    again = split_by_take(corpus.clips, 0.34, seed=0)[1]
    assert [clip.name for clip in again] == [clip.name for clip in held_out]
    with pytest.raises(DataError, match="at least two"):
        split_by_take(corpus.clips[:1], 0.3, seed=0)
    with pytest.raises(SettingsError, match="validation_share"):
        split_by_take(corpus.clips, 1.0, seed=0)


def test_a_mirror_image_of_a_mirror_image_is_the_original(corpus: Corpus) -> None:
    frames = corpus.clips[0].frames
    mirror = mirrored(frames, corpus.channels)
    np.testing.assert_array_equal(mirrored(mirror, corpus.channels), frames)
    at = {name: i for i, name in enumerate(corpus.channels)}
    np.testing.assert_array_equal(mirror[:, at["left_wrist.y"]], frames[:, at["right_wrist.y"]])
    np.testing.assert_array_equal(mirror[:, at["left_wrist.x"]], -frames[:, at["right_wrist.x"]])
    np.testing.assert_array_equal(mirror[:, at["root.yaw_rate"]], -frames[:, at["root.yaw_rate"]])
    np.testing.assert_array_equal(mirror[:, at["root.velocity_z"]], frames[:, at["root.velocity_z"]])


def test_channels_without_sides_have_no_mirror_image() -> None:
    with pytest.raises(SettingsError, match="train without mirroring"):
        mirrored(np.zeros((3, 2)), ("gyro", "accelerometer"))
    with pytest.raises(SettingsError, match="no counterpart 'right_foot'"):
        mirrored(np.zeros((3, 1)), ("left_foot",))


def test_twice_the_tempo_is_half_the_time_and_twice_the_speed() -> None:
    t = np.arange(240) / 120.0
    channels = ("chest.y", "root.velocity_z")
    clip = Clip("walk", np.stack([np.sin(t), np.cos(t)], axis=1), 120.0)
    rng = np.random.default_rng(0)
    fast = augment(clip, channels, 30.0, replace(NO_AUGMENTATION, tempo=(2.0, 2.0)), rng)
    slow = augment(clip, channels, 30.0, NO_AUGMENTATION, rng)
    np.testing.assert_array_equal(slow, resample(clip.frames, 120.0, 30.0))
    assert len(fast) == 30
    np.testing.assert_allclose(fast[1:, 0], (slow[1:-1:2, 0] + slow[2::2, 0])[:29] / 2, atol=1e-9)
    np.testing.assert_allclose(fast[1:, 1], (slow[1:-1:2, 1] + slow[2::2, 1])[:29], atol=1e-9)


def test_settings_of_variation_are_checked() -> None:
    with pytest.raises(SettingsError, match="slower first"):
        Augmentation(tempo=(1.4, 0.7))
    with pytest.raises(SettingsError, match="noise"):
        Augmentation(noise=-1.0)


def numbered(*lengths: int) -> list[np.ndarray]:
    """Clips whose frames say where they come from: (clip, frame)."""
    return [np.stack([np.full(n, float(i)), np.arange(float(n))], axis=1) for i, n in enumerate(lengths)]


def test_no_window_crosses_from_clip_to_clip() -> None:
    windows = sample_windows(numbered(9, 40, 15, 8), 500, 12, 5, 4, np.random.default_rng(0))
    assert set(windows.lengths) <= set(range(4, 13))
    for source, length, target in zip(windows.source, windows.lengths, windows.target, strict=True):
        joined = np.concatenate([source[:length], target])
        assert (joined[:, 0] == joined[0, 0]).all()
        np.testing.assert_array_equal(np.diff(joined[:, 1]), 1.0)
        assert (source[length:] == 0).all()
        assert length == 12 or joined[0, 1] == 0  # shorter only where the clip begins
    # The clip of eight frames is shorter than any window; the others are all in use.
    assert set(windows.target[:, 0, 0]) == {0.0, 1.0, 2.0}


def test_validation_windows_cover_all_clips() -> None:
    windows = cut_windows(numbered(9, 21), 12, 5, 4, every=4)
    assert [(target[0, 0], target[-1, 1]) for target in windows.target] == [(0, 8), (1, 8), (1, 12), (1, 16), (1, 20)]


def test_clips_shorter_than_a_window() -> None:
    with pytest.raises(DataError, match=r"longest has 8 frames .* need 9"):
        sample_windows(numbered(8, 3), 5, 12, 5, 4, np.random.default_rng(0))


def test_generated_actions_are_single_clips_by_kind() -> None:
    corpus = generated_actions(2, ("walk", "squat", "wave"))
    assert corpus.channels == CANONICAL_CHANNELS
    assert {clip.name.split("/")[1] for clip in corpus.clips} <= {"walk", "squat", "wave"}
    assert len({clip.name for clip in corpus.clips}) == len(corpus.clips) >= 4
    # Nearly all of two minutes: only the passages between segments are left out.
    assert 90.0 < corpus.duration_s < 120.0
    again = generated_actions(2, ("walk", "squat", "wave"))
    assert again.fingerprint == corpus.fingerprint
    assert generated_actions(1, ("walk", "squat", "wave")).fingerprint != corpus.fingerprint


@pytest.mark.parametrize(("minutes", "kinds"), [(0, ("walk",)), (1, ()), (1, ("walk", "fly"))])
def test_generated_actions_that_cannot_be_are_refused(minutes: int, kinds: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="kinds out of"):
        generated_actions(minutes, kinds)
