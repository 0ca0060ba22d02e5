"""Layers compared: pieces, distances and smoothness of any model, and both experiments at small size on real clips."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from kineseg_training.data.labelled import LabelledClip, LabelledClips, cmu_actions
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models import Seq2Seq, Seq2SeqSettings
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.models.stgcn import STGCN, STGCNSettings
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.das_2023.gradcam.run import gradcam
from kineseg_training.studies.das_2023.layers.families import ServicePredictor, untrained
from kineseg_training.studies.das_2023.layers.run import layers
from kineseg_training.studies.das_2023.layers.smoothness import (
    LayerSettings,
    distances_between,
    layer_distances,
    layer_features,
    layer_smoothness,
    pieces_of,
    reduced,
)
from kineseg_training.studies.exhibit import Exhibit, RunContext
from numpy.typing import NDArray


class Known:
    """Three layers of which it is known what they see: everything, noise only, the label only, at half the rate."""

    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """``frames``: column 0 shows the label, the others nothing."""
        clip = np.asarray(frames, dtype=np.float32)
        return {"input": clip, "noise": clip[:, 1:], "label": clip[::2, :1]}


def clips_of(n: int = 12) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    clips = [rng.standard_normal((int(rng.integers(20, 40)), 6)) for _ in labels]
    for clip, label in zip(clips, labels, strict=True):
        clip[:, 0] = 0.1 * clip[:, 0] + 5.0 * label
    return clips, labels


def labelled(lengths: dict[str, tuple[int, ...]]) -> LabelledClips:
    clips = [
        LabelledClip(f"{action}/{i}", action, np.full((length, 3), float(i)))
        for action, of_action in lengths.items()
        for i, length in enumerate(of_action)
    ]
    return LabelledClips(tuple(clips), tuple(sorted(lengths)), ("a", "b", "c"), 30.0, "")


def test_smoothness_tells_the_layer_that_sees_the_label_from_the_one_that_does_not() -> None:
    clips, labels = clips_of()
    for kind in ("nnk", "knn"):
        smooth = layer_smoothness(Known(), clips, labels, LayerSettings(k=3), kind)
        assert list(smooth) == ["input", "noise", "label"]
        assert smooth["label"] < 0.05 < 0.3 < smooth["noise"]
        assert smooth["input"] < smooth["noise"]


def test_principal_axes_keep_distances_and_dead_features_are_not_blown_up() -> None:
    rng = np.random.default_rng(1)
    mixed = rng.standard_normal((5, 40)) @ np.diag(rng.uniform(0.5, 2.0, 40))
    sequences = [rng.standard_normal((n, 5)) @ mixed for n in (10, 14, 30)]
    all_of_it, few = reduced(sequences, 40), reduced(sequences, 5)
    assert few[0].shape == (10, 5)
    for a, b in zip(all_of_it, few, strict=True):
        np.testing.assert_allclose(
            np.linalg.norm(np.diff(a, axis=0), axis=1), np.linalg.norm(np.diff(b, axis=0), axis=1)
        )
    dead = [np.hstack([sequence, 1e-9 * rng.standard_normal((len(sequence), 3))]) for sequence in sequences]
    assert np.abs(np.concatenate(reduced(dead, 50))[:, -3:]).max() < 1e-6
    assert not np.concatenate(reduced([np.ones((4, 2)), np.ones((3, 2))], 2)).any()


def test_pieces_are_short_of_many_takes_and_no_more_than_asked_for() -> None:
    pieces = pieces_of(labelled({"long": (400, 100), "many": (40,) * 9, "short": (20,)}), longest_s=1.5, per_action=4)
    assert max(map(len, pieces.frames)) <= 45
    assert pieces.longest == max(map(len, pieces.frames))
    assert np.bincount(pieces.labels).tolist() == [4, 4, 1]
    assert len(set(pieces.takes[pieces.labels == 1].tolist())) == 4
    assert np.bincount(pieces.takes[pieces.labels == 0]).tolist() == [2, 2]
    for frames, take in zip(pieces.frames, pieces.takes, strict=True):
        assert len(frames) > 1
        assert take < 12


def test_what_cannot_be_compared_is_refused() -> None:
    clips, labels = clips_of(6)
    with pytest.raises(DataError, match="fewer than two different labels"):
        layer_smoothness(Known(), clips, np.zeros(6, dtype=int), LayerSettings(k=2))
    with pytest.raises(SettingsError, match="k must be from 1 to 5"):
        layer_smoothness(Known(), clips, labels, LayerSettings(k=6))
    with pytest.raises(DataError, match="at least two"):
        layer_distances(Known(), clips[:1])
    with pytest.raises(SettingsError, match="no 'block7'; it has input, noise, label"):
        distances_between(layer_features(Known(), clips), 40, only=["block7"])
    with pytest.raises(DataError, match="fewer than two actions"):
        pieces_of(labelled({"only": (40, 40)}))
    for wrong in ({"k": 0}, {"dimensions": 0}, {"window_s": -1.0}, {"rate": 0.0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            LayerSettings(**wrong)


def test_all_families_can_be_looked_into_in_the_same_way(cmu_folder: Path) -> None:
    _, test = cmu_actions(cmu_folder)
    pieces = pieces_of(test, longest_s=1.5, per_action=2)
    frames = np.concatenate(pieces.frames)
    models = (
        STGCN(STGCNSettings(test.actions, widths=(4, 6), strides=(1, 2), temporal_kernel=3)),
        TiedSeq2Seq(TiedSettings(59, 12, source=16, target=16)),
        CompositeLSTM(CompositeSettings(59, 12)),
        Seq2Seq(Seq2SeqSettings(59, 12)),
    )
    for model in models:
        model.set_normalisation(frames.mean(axis=0), frames.std(axis=0) + 0.05)
        for network in (model.eval(), untrained(model, 7)):
            looked_at = ServicePredictor(network) if isinstance(network, Seq2Seq) else network
            smooth = layer_smoothness(looked_at, pieces.frames, pieces.labels, LayerSettings(k=3))
            assert len(smooth) >= 3
            assert all(0.0 <= value <= 1.0 for value in smooth.values())


def test_the_layers_of_all_families_become_an_exhibit(cmu_folder: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "layers", "tiny", cmu_folder, progress=False)
    context.out.mkdir()
    made = layers(context)
    made.save(context.out)
    assert Exhibit.load(context.out) == made
    table, checks = made.tables
    assert {row[0] for row in table.rows} == {
        "ST-GCN", "tied GRU", "composite LSTM", "GRU of the service", "labels shuffled"
    }  # fmt: skip
    assert all(0.0 <= float(row[4]) <= 1.0 for row in table.rows)
    assert len({row[1:] for row in checks.rows}) > 3  # settings are not ignored
    # What was computed is not computed again, unless it is of something else.
    path = context.out / "layers_su.json"
    changed = json.loads(path.read_text())
    changed["networks"][0]["values"]["across takes/nnk"][0] = 0.123
    path.write_text(json.dumps(changed))
    other = context.out / "layers_seq2seq.json"
    other.write_text(json.dumps(changed | {"made_of": {}}))
    again = layers(context)
    assert again.figures["su_input"] == 0.123
    assert again.figures["seq2seq_input"] == made.figures["seq2seq_input"]


def test_maps_of_clips_become_an_exhibit(cmu_folder: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "gradcam", "tiny", cmu_folder, progress=False)
    context.out.mkdir()
    made = gradcam(context)
    made.save(context.out)
    assert Exhibit.load(context.out) == made
    assert len(made.tables[0].rows) == 8
    assert len(made.pictures) == 4
    animation = imageio.imread(context.out / "gradcam.gif")
    assert len(animation) > 5
    assert (animation[0] != animation[len(animation) // 2]).any()
