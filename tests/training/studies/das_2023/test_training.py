"""Training a recogniser: what it is shown, what is held out, what stays frozen, and that runs can be repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg_training.data.augment import NO_AUGMENTATION, Augmentation, mirrored
from kineseg_training.data.labelled import LabelledClip, LabelledClips, cut_labelled
from kineseg_training.data.splits import hold_out
from kineseg_training.errors import CheckpointError, DataError, SettingsError
from kineseg_training.loop import LAST, LoopSettings, load_saved, train
from kineseg_training.models.stgcn import STGCN
from kineseg_training.studies.das_2023.task import Draw, Recognise, RecogniseSettings, mirrored_labels, window_logits
from kineseg_training.studies.das_2023.trained import PRESETS, load_stgcn, new_stgcn, train_stgcn
from kineseg_training.studies.das_2023.transfer.run import with_classes

Clips = tuple[LabelledClips, LabelledClips]
TINY = PRESETS["tiny"]


def network(clips: LabelledClips, seed: int = 0) -> STGCN:
    return new_stgcn(TINY.model(clips.actions), clips, seed)


def task(clips: LabelledClips, retrained: int | None = None, iterations: int = 4) -> Recognise:
    fit, validation = hold_out(clips, 30)
    settings = RecogniseSettings(iterations, batch=8)
    return Recognise(network(clips), fit, validation, settings, retrained=retrained)


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_every_action_is_drawn_as_often_and_is_what_its_label_says(few: Clips) -> None:
    clips = few[0]
    frames, labels = Draw(clips, 30, NO_AUGMENTATION)(np.random.default_rng(0), 30)
    assert np.bincount(labels).tolist() == [10, 10, 10]
    frames_of = np.concatenate([clip.frames for clip in clips.clips])
    label_of = np.repeat(clips.labels(), [len(clip.frames) for clip in clips.clips])
    nearest = [int(((frames_of - window[15]) ** 2).sum(axis=1).argmin()) for window in frames]
    assert label_of[nearest].tolist() == labels.tolist()


def test_a_mirrored_window_keeps_its_label_and_changes_sides(few: Clips) -> None:
    others = tuple(clip for clip in few[0].clips if clip.action != "running")
    one = next(clip for clip in few[0].clips if clip.action == "running")
    one = replace(one, frames=one.frames[:30])
    clips = replace(few[0], clips=(*others, one))
    draw = Draw(clips, 30, Augmentation(mirror=True, tempo=(1.0, 1.0), phase=False, noise=0.0))
    seen = set()
    for seed in range(12):
        frames, labels = draw(np.random.default_rng(seed), 3)
        (window,) = frames[labels == clips.actions.index("running")]
        plain = np.allclose(window, one.frames, atol=1e-5)
        assert plain or np.allclose(window, mirrored(one.frames, clips.channels), atol=1e-5)
        seen.add(plain)
    assert seen == {True, False}


def test_actions_with_a_side_change_their_label_in_the_mirror() -> None:
    assert mirrored_labels(("run", "walk-left", "walk-right")).tolist() == [0, 2, 1]
    assert mirrored_labels(("run", "walk-left")).tolist() == [0, -1]


def test_a_faster_window_covers_more_of_the_clip_and_travels_faster(few: Clips) -> None:
    clip = max((clip for clip in few[0].clips if clip.action == "soccer"), key=lambda clip: len(clip.frames))
    only = replace(
        few[0], clips=(replace(clip, frames=clip.frames[:59]), *few[0].clips[:1]), actions=("jumping", "soccer")
    )
    draw = Draw(only, 30, Augmentation(mirror=False, tempo=(2.0, 2.0), phase=False, noise=0.0))
    frames, labels = draw(np.random.default_rng(0), 2)
    (window,) = frames[labels == 1]
    np.testing.assert_allclose(window[:, :55], clip.frames[:59:2, :55], atol=1e-5)
    np.testing.assert_allclose(window[:, 55:], 2.0 * clip.frames[:59:2, 55:], atol=1e-5)


def test_nothing_is_both_trained_on_and_held_out(few: Clips) -> None:
    clips = few[0]
    fit, validation = hold_out(clips, 30)
    assert fit.actions == validation.actions == clips.actions
    assert {clip.action for clip in validation.clips} == set(clips.actions)
    assert sum(len(clip.frames) for part in (fit, validation) for clip in part.clips) == sum(
        len(clip.frames) for clip in clips.clips
    )
    frames = [{row.tobytes() for clip in part.clips for row in clip.frames} for part in (fit, validation)]
    assert not frames[0] & frames[1]


def test_of_a_single_take_the_end_is_held_out_if_it_is_long_enough() -> None:
    rng = np.random.default_rng(0)
    clips = tuple(
        LabelledClip(name, name, rng.standard_normal((length, 59))) for name, length in (("long", 100), ("short", 50))
    )
    fit, validation = hold_out(LabelledClips(clips, ("long", "short"), ("",) * 59, 30.0, ""), 30)
    assert [(clip.action, len(clip.frames)) for clip in fit.clips] == [("long", 70), ("short", 50)]
    assert [(clip.action, len(clip.frames)) for clip in validation.clips] == [("long", 30)]


def test_it_learns_actions_of_takes_that_it_has_not_seen(few: Clips, tmp_path: Path) -> None:
    fit, validation = hold_out(few[0], 30)
    learner = Recognise(network(few[0]), fit, validation, RecogniseSettings(40, batch=12))
    train(learner, LoopSettings(40, 20), tmp_path / "run", progress=False)
    windows = cut_labelled(few[1], 30, 10)
    right = window_logits(learner.network, windows.frames).argmax(1).numpy() == windows.labels
    assert np.mean([right[windows.labels == label].mean() for label in range(3)]) > 0.6  # by chance 0.33


@pytest.mark.parametrize("retrained", [0, 1])
def test_frozen_layers_do_not_change_nor_their_statistics(few: Clips, tmp_path: Path, retrained: int) -> None:
    learner = task(few[0], retrained)
    before = state(learner.network)
    train(learner, LoopSettings(4, 2), tmp_path / "run", progress=False)
    after = load_saved(tmp_path / "run" / LAST).network
    changed = {name.rsplit(".", 1)[0] for name in before if not torch.equal(before[name], after[name])}
    frozen = tuple(f"blocks.{i}" for i in range(3 - retrained))
    assert not [name for name in changed if name.startswith(frozen)]
    assert "classifier" in changed
    late = {name for name in changed if name.startswith("blocks.")}
    assert bool(late) == bool(retrained)
    assert not retrained or "blocks.2.spatial_norm" in late


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(few: Clips, tmp_path: Path) -> None:
    for folder, stops in (("whole", (4,)), ("cut", (2, 4))):
        for stop in stops:
            train(task(few[0]), LoopSettings(stop, 2), tmp_path / folder, resume=True, progress=False)
    whole, cut = (load_saved(tmp_path / folder / LAST).network for folder in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_trained_network_is_found_again_calibrated(few: Clips, tmp_path: Path) -> None:
    settings = LoopSettings(4, 2, precision="bfloat16")
    made = train_stgcn(few[0], TINY, tmp_path / "run", settings, progress=False)
    found = load_stgcn(tmp_path / "run")
    assert found.settings == made.settings
    assert not found.training
    assert 0.0 < float(found.unknown_below) <= 1.0
    assert float(found.temperature) != 1.0
    x = torch.from_numpy(cut_labelled(few[1], 30, 30).frames)
    assert torch.equal(found(x), made(x))
    with pytest.raises(CheckpointError, match="holds a run already"):
        train_stgcn(few[0], TINY, tmp_path / "run", settings, progress=False)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_stgcn(tmp_path)


def test_new_classes_keep_blocks_and_normalisation(few: Clips) -> None:
    source = network(few[0])
    source.temperature.fill_(2.0)
    other = with_classes(source, ("bow", "bye"), seed=1)
    assert other.settings.classes == ("bow", "bye")
    x = torch.from_numpy(cut_labelled(few[1], 30, 60).frames)
    assert torch.equal(other.eval().pooled(x), source.eval().pooled(x))
    assert float(other.temperature) == 1.0


def test_what_does_not_fit_is_refused(few: Clips) -> None:
    clips = few[0]
    with pytest.raises(SettingsError, match="there is no flying here"):
        clips.only(("running", "flying"))
    with pytest.raises(SettingsError, match="at least two are needed"):
        clips.only(("running",))
    with pytest.raises(DataError, match=r"running: every clip is shorter than a window of 60 frames"):
        Draw(clips, 60, NO_AUGMENTATION)
    fit, validation = hold_out(clips, 30)
    settings = RecogniseSettings(4, batch=8)
    with pytest.raises(SettingsError, match="actions: the network knows"):
        Recognise(network(clips), fit.only(("running", "soccer")), validation, settings)
    with pytest.raises(SettingsError, match="between 0 and 3 blocks, got 4"):
        Recognise(network(clips), fit, validation, settings, retrained=4)
    with pytest.raises(SettingsError, match="rate: the network takes 30"):
        Recognise(network(clips), replace(fit, rate=60.0), replace(validation, rate=60.0), settings)
