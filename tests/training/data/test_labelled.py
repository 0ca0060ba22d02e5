"""Labelled clips: takes are not shared, windows do not cross clips, and what cannot be done is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_training.data import LabelledClip, LabelledClips, bvh_contents, cmu_actions, cut_labelled, long_enough
from kineseg_training.errors import DataError, SettingsError


def made(*lengths: tuple[str, int]) -> LabelledClips:
    """Clips of a channel that counts frames, by action and length."""
    clips = tuple(
        LabelledClip(f"{number:02d}", action, np.arange(float(length))[:, None] + 1000 * number)
        for number, (action, length) in enumerate(lengths)
    )
    return LabelledClips(clips, tuple(sorted({clip.action for clip in clips})), ("x",), 30.0, "")


def test_no_take_of_the_cmu_actions_is_both_trained_and_tested_on(cmu_folder: Path) -> None:
    train, test = cmu_actions(cmu_folder)
    assert train.actions == test.actions
    assert len(train.actions) == 8
    assert train.shared_takes == ("washwindow",)
    assert not {clip.name for clip in train.clips} & {clip.name for clip in test.clips}
    first, last = (next(c for c in part.clips if c.action == "washwindow").frames for part in (train, test))
    assert not (first[:, None] == last[None]).all(axis=2).any()
    assert train.fingerprint != test.fingerprint
    assert "walking_extra" not in train.actions


def test_contents_of_the_bvh_set_are_known_by_its_file_names(bvh_folder: Path, tmp_path: Path) -> None:
    names = ("dataset-1_kick_normal_001", "dataset-1_walk_tired_001", "dataset-1_walk_normal_001")
    files = [next(bvh_folder.glob(f"{name}*.bvh")) for name in names]
    for file in files:
        (tmp_path / file.name).symlink_to(file)
    train, test = bvh_contents(tmp_path)
    assert train.actions == test.actions == ("kick", "walk")
    assert train.shared_takes == ("kick",)
    assert [clip.action for clip in test.clips] == ["kick", "walk"]
    (tmp_path / "odd.bvh").symlink_to(files[0])
    bvh_contents.cache_clear()
    with pytest.raises(DataError, match="expected a name such as"):
        bvh_contents(tmp_path)


@given(
    lengths=st.lists(st.integers(1, 60), min_size=2, max_size=6),
    length=st.integers(1, 20),
    every=st.integers(1, 15),
)
def test_windows_are_pieces_of_one_clip_each_and_cover_its_end(lengths: list[int], length: int, every: int) -> None:
    clips = made(*((f"a{number}", 20 + size) for number, size in enumerate(lengths)))
    windows = cut_labelled(clips, length, every)
    for frames, label, clip, start in zip(windows.frames, windows.labels, windows.clip, windows.start, strict=True):
        taken = clips.clips[clip]
        np.testing.assert_array_equal(frames, taken.frames[start : start + length])
        assert clips.actions[label] == taken.action
    for number, clip in enumerate(clips.clips):
        assert windows.start[windows.clip == number].max() == len(clip.frames) - length


def test_what_cannot_be_done_is_said() -> None:
    clips = made(("long", 50), ("short", 5), ("long", 40))
    with pytest.raises(DataError, match=r"short: every clip is shorter than a window of 10 frames .* has 5"):
        cut_labelled(clips, 10, 1)
    assert long_enough(clips, clips, 10) == ("long",)
    with pytest.raises(SettingsError, match="there is no flying here; there are long, short"):
        clips.only(["flying", "long"])
    with pytest.raises(SettingsError, match=r"1 action\(s\) to distinguish"):
        clips.only(["long"])
    with pytest.raises(DataError, match="has no folder 'train'"):
        cmu_actions(Path("nowhere"))
