"""Clips of actions in both text layouts, and their concatenation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.su_shlizerman_2019.clips.data import (
    ActionFiles,
    choose,
    concatenate,
    find_actions,
    load_clip,
)


def write(file: Path, frames: int, columns: int, seed: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).normal(scale=0.3, size=(frames, columns))
    values[:, -3:] = 0.0  # the last joint never turns
    np.savetxt(file, values, delimiter=",", fmt="%.5f")


@pytest.fixture
def h36m(tmp_path: Path) -> Path:
    """Two subjects, three actions, two takes of each."""
    for number, (subject, action, take) in enumerate(
        (s, a, t) for s in (1, 11) for a in ("walking", "eating", "walkingdog") for t in (1, 2)
    ):
        write(tmp_path / f"S{subject}" / f"{action}_{take}.txt", 41 + number, 99, number)
    return tmp_path


def test_the_human36m_layout_is_found_and_read_at_25_frames_a_second(h36m: Path) -> None:
    files = find_actions(h36m)
    assert files.actions == ("eating", "walking", "walkingdog")
    assert [path.relative_to(h36m).as_posix() for path in files.files["walking"]] == [
        f"S{subject}/walking_{take}.txt" for subject in (1, 11) for take in (1, 2)
    ]
    file = files.files["walking"][0]
    clip = load_clip(files, "walking", file)
    assert clip.rate == 25.0
    np.testing.assert_array_equal(clip.frames, np.loadtxt(file, delimiter=",")[::2])
    assert clip.channels[:4] == ("Hips.tx", "Hips.ty", "Hips.tz", "Hips.rx")


def test_a_concatenation_of_human36m_clips(h36m: Path) -> None:
    files = find_actions(h36m)
    sequence = concatenate(files, ("walking", "eating"), 5, 0, shortest=10)
    assert [s.action for s in sequence.stretches[:2]] == ["walking", "eating"]
    assert len(sequence.stretches) == 5
    assert all(a.action != b.action for a, b in zip(sequence.stretches[:-1], sequence.stretches[1:], strict=True))
    assert len({stretch.name for stretch in sequence.stretches}) == 5  # no take twice while there are others
    labels = sequence.labels()
    assert len(labels) == len(sequence.frames) == sequence.stretches[-1].stop
    assert set(np.flatnonzero(np.diff(labels)) + 1) == set(sequence.boundaries())
    for stretch in sequence.stretches:
        assert set(labels[stretch.start : stretch.stop]) == {sequence.actions.index(stretch.action)}
    assert sequence.frames.shape[1] == 96  # the joint that never turns is left out
    rootless = concatenate(files, ("walking", "eating"), 5, 0, shortest=10, root=False)
    assert rootless.channels == sequence.channels[6:]
    np.testing.assert_array_equal(rootless.frames, sequence.frames[:, 6:])


def test_drawing_is_repeatable_and_depends_on_the_seed(h36m: Path) -> None:
    files = find_actions(h36m)
    drawn = [
        tuple(s.name for s in concatenate(files, choose(files, (), 2, seed), 4, seed, shortest=10).stretches)
        for seed in (0, 0, 1, 2, 3)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_the_cmu_layout(cmu_folder: Path) -> None:
    files = find_actions(cmu_folder)
    assert {"walking", "running", "jumping"} <= set(files.actions)
    assert "walking_extra" not in files.actions
    assert len(files.files["walking"]) > len(list((cmu_folder / "train" / "walking").glob("*.txt")))
    file = files.files["running"][0]
    clip = load_clip(files, "running", file)
    assert clip.rate == 120.0
    np.testing.assert_array_equal(clip.frames, np.loadtxt(file, delimiter=",")[1:])  # without the calibration pose
    sequence = concatenate(files, ("running", "walking"), 2, 0, shortest=50)
    assert sequence.frames.shape[1] < 117
    assert (sequence.frames.std(axis=0) > 0).all()


def test_what_cannot_be_chosen(h36m: Path) -> None:
    files = find_actions(h36m)
    known = "eating, walking, walkingdog"
    with pytest.raises(SettingsError, match=f"no flying here; there are {known}"):
        choose(files, ("walking", "flying"), 2, 0)
    with pytest.raises(SettingsError, match="at least two"):
        choose(files, ("walking",), 1, 0)
    with pytest.raises(SettingsError, match="at least two"):
        choose(files, (), 1, 0)
    with pytest.raises(SettingsError, match="twice"):
        choose(files, ("walking", "walking"), 2, 0)
    with pytest.raises(SettingsError, match=f"3 actions only, not 4: {known}"):
        choose(files, (), 4, 0)
    with pytest.raises(SettingsError, match="total_num_actions"):
        concatenate(files, ("walking", "eating"), 1, 0, shortest=10)


def test_what_cannot_be_read(h36m: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    files = find_actions(h36m)
    with pytest.raises(DataError, match=r"walking_\d.txt: \d+ frames are shorter than a window of 50"):
        concatenate(files, ("walking", "eating"), 2, 0, shortest=50)
    write(h36m / "S1" / "walking_1.txt", 60, 117, 0)
    with pytest.raises(DataError, match=r"117 columns; .*a Human3\.6M clip has 99 columns"):
        load_clip(files, "walking", h36m / "S1" / "walking_1.txt")
    (h36m / "S1" / "walking_1.txt").write_text("1,2,x\n")
    with pytest.raises(DataError, match=r"walking_1\.txt"):
        load_clip(files, "walking", h36m / "S1" / "walking_1.txt")
    write(h36m / "S1" / "walking.txt", 60, 99, 0)
    with pytest.raises(DataError, match=r"such as S1/walking_1\.txt"):
        find_actions(h36m)
    with pytest.raises(DataError, match="no such folder"):
        find_actions(h36m / "nothing")
    with pytest.raises(DataError, match="holds neither"):
        find_actions(tmp_path_factory.mktemp("empty"))


def test_a_cmu_clip_of_the_calibration_pose_alone(tmp_path: Path) -> None:
    write(tmp_path / "walking" / "walking_1.txt", 1, 117, 0)
    files: ActionFiles = find_actions(tmp_path)
    with pytest.raises(DataError, match="calibration"):
        load_clip(files, "walking", files.files["walking"][0])
