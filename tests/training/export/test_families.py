"""Bundles of every family: the graph agrees with the model, the manifest with the files, and equal input gives equal
bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import kineseg
import numpy as np
import onnx
import pytest
import torch
from kineseg.motion import CANONICAL_CHANNELS, canonical_pose, generate
from kineseg_training.data import LabelledClip, LabelledClips, cmu_actions
from kineseg_training.errors import BundleError, DataError, SettingsError
from kineseg_training.export.families import Family, FamilySettings, export_family, family_name
from kineseg_training.export.metric import MetricSettings
from kineseg_training.export.step import Bundle, Step, read_bundle
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.models.stgcn import STGCN, STGCNSettings
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.server_process import running_server
from torch import nn

TOLERANCE = 1e-4  # of the largest value: float32 sums in another order, over many recurrent steps
CHANNELS = len(CANONICAL_CHANNELS)
ACTIONS = ("basketball", "running", "walking")
SMALL = FamilySettings("tiny", metric=MetricSettings(dimensions=8), description="A few clips.", licence="None.")


@pytest.fixture(scope="module")
def clips(cmu_folder: Path) -> tuple[LabelledClips, LabelledClips]:
    """A few clips of three actions, for training and held out."""
    train, test = cmu_actions(cmu_folder)
    return tuple(few(part.only(ACTIONS)) for part in (train, test))  # type: ignore[return-value]


def few(clips: LabelledClips) -> LabelledClips:
    """Two clips of each action."""
    kept = [[clip for clip in clips.clips if clip.action == action][:2] for action in ACTIONS]
    return replace(clips, clips=tuple(clip for of_action in kept for clip in of_action))


def made(kind: str) -> Family:
    """A model with weights as they come; parity does not ask for training."""
    torch.manual_seed(1)
    models: dict[str, Family] = {
        "tied": TiedSeq2Seq(TiedSettings(CHANNELS, 24)),
        "tied-once": TiedSeq2Seq(TiedSettings(CHANNELS, 24, residual=True, reread=False)),
        "composite": CompositeLSTM(CompositeSettings(CHANNELS, 20, window=30)),
        "composite-deep": CompositeLSTM(CompositeSettings(CHANNELS, 20, layers=2, conditional=True, window=30)),
        "stgcn": STGCN(STGCNSettings(ACTIONS, widths=(8, 12), strides=(1, 2), temporal_kernel=3, window=12)),
    }
    return models[kind]


def normalised(model: Family, clips: LabelledClips) -> Family:
    frames = np.concatenate([clip.frames for clip in clips.clips])
    model.set_normalisation(frames.mean(axis=0), frames.std(axis=0) + 0.05)
    for module in model.modules():  # statistics as a trained network would have them
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(0.0, 0.1)
    return model.eval()


KINDS = ["tied", "tied-once", "composite", "composite-deep", "stgcn"]


@pytest.fixture(scope="module", params=KINDS)
def exported(
    request: pytest.FixtureRequest, clips: tuple[LabelledClips, LabelledClips], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Family, Path]:
    model = normalised(made(request.param), clips[0])
    return model, export_family(model, *clips, tmp_path_factory.mktemp(request.param) / "bundle", SMALL)


def assert_close(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= TOLERANCE * np.abs(expected).max()


def stepped(step: Step, streams: np.ndarray) -> dict[str, np.ndarray]:
    """All outputs for ``(B, T, C)`` frames, in one batch; each ``(B, T, ...)``."""
    outputs = vars(step.run(streams.swapaxes(0, 1)))
    return {name: values.swapaxes(0, 1) for name, values in outputs.items() if values is not None}


def streams_of(clips: LabelledClips, n_streams: int, n_frames: int) -> np.ndarray:
    joined = np.concatenate([clip.frames for clip in clips.clips])
    return np.stack([np.roll(joined, -97 * b, axis=0)[:n_frames] for b in range(n_streams)]).astype(np.float32)


def test_what_the_graph_predicts_and_names_is_what_the_model_does(
    exported: tuple[Family, Path], clips: tuple[LabelledClips, LabelledClips]
) -> None:
    """Against the models' own way through whole sequences, which shares no line with the step."""
    model, path = exported
    frames = streams_of(clips[1], 1, 200)
    outputs = stepped(read_bundle(path).step, frames)
    with torch.no_grad():
        if isinstance(model, STGCN):
            width = model.settings.window
            windows = torch.from_numpy(frames[0]).unfold(0, width, 1).transpose(1, 2)
            assert_close(outputs["scores"][0, width - 1 :], torch.log_softmax(model(windows), dim=1).numpy())
            filled = torch.from_numpy(np.concatenate([np.repeat(frames[0, :1], width - 1, axis=0), frames[0, :1]]))
            assert_close(outputs["scores"][0, 0], torch.log_softmax(model(filled[None]), dim=1)[0].numpy())
            return
        x = model.normalise(torch.from_numpy(frames))
        for t in (2, 50, 199):
            if isinstance(model, TiedSeq2Seq):
                predicted = model(x[:, : t + 1], 1)[0][:, 0]
            else:
                _, state = model.encode(x[:, : t + 1])
                predicted = model.predict(state, 1, last=x[:, t])[:, 0]
            assert_close(outputs["prediction"][0, t], (predicted * model.scale + model.mean)[0].numpy())


def test_streams_side_by_side_are_what_they_are_alone(
    exported: tuple[Family, Path], clips: tuple[LabelledClips, LabelledClips]
) -> None:
    step = read_bundle(exported[1]).step
    streams = streams_of(clips[0], 7, 60)
    together = stepped(step, streams)
    for b, frames in enumerate(streams):
        for name, alone in stepped(step, frames[None]).items():
            assert_close(together[name][b], alone[0])


def test_the_manifest_describes_the_graph(
    exported: tuple[Family, Path], clips: tuple[LabelledClips, LabelledClips]
) -> None:
    model, path = exported
    bundle: Bundle = read_bundle(path)
    manifest = bundle.manifest
    onnx.checker.check_model(onnx.load(path / "model.onnx"), full_check=True)
    assert tuple(channel.name for channel in manifest.channels) == CANONICAL_CHANNELS
    assert sum(part.size for part in manifest.state) == bundle.step.n_state
    assert manifest.frame_rate_hz == 30.0
    assert manifest.training_data.fingerprint == clips[0].fingerprint
    assert tuple(manifest.classes) == (ACTIONS if isinstance(model, STGCN) else ())
    assert manifest.metrics
    assert ("lag_s" in manifest.calibration.naming) == isinstance(model, STGCN)
    assert "arXiv" in (path / "README.md").read_text()


@pytest.mark.parametrize("exported", ["composite", "stgcn"], indirect=True)
def test_equal_input_gives_equal_bytes(
    exported: tuple[Family, Path], clips: tuple[LabelledClips, LabelledClips], tmp_path: Path
) -> None:
    model, path = exported
    again = export_family(model, *clips, tmp_path / "again", SMALL)
    one, two = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in (path, again))
    assert one == two


def test_what_does_not_fit_is_refused(clips: tuple[LabelledClips, LabelledClips], tmp_path: Path) -> None:
    train, test = clips
    with pytest.raises(SettingsError, match="name must be"):
        FamilySettings("Not A Name")
    two = ("running", "walking")
    with pytest.raises(DataError, match="the model knows basketball, running, walking, the clips are of"):
        export_family(made("stgcn"), train.only(two), test.only(two), tmp_path / "bundle", SMALL)
    narrow = LabelledClips(
        tuple(LabelledClip(c.name, c.action, c.frames[:, :5]) for c in train.clips), ACTIONS, ("a",) * 5, 30.0, "x"
    )
    with pytest.raises(DataError, match="5 channels, the model 59"):
        export_family(made("tied"), narrow, narrow, tmp_path / "bundle", SMALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    with pytest.raises(BundleError, match="not a bundle"):
        export_family(normalised(made("tied"), train), train, test, tmp_path / "mine", SMALL)
    assert (tmp_path / "mine/letter.txt").read_text() == "dear"


@pytest.mark.parametrize("exported", ["tied", "composite-deep", "stgcn"], indirect=True)
def test_the_service_runs_it(exported: tuple[Family, Path]) -> None:
    model, path = exported
    pose = np.asarray(canonical_pose(generate(seed=3, duration_s=8.0, rate=30.0)).frames, dtype=np.float32)
    with running_server(path) as address, kineseg.Client(address) as client:
        (listed,) = [known for known in client.models() if known.name == "tiny"]
        assert listed.family == family_name(model)
        assert listed.classes == (ACTIONS if isinstance(model, STGCN) else ())
        result = client.segment(pose, rate=30.0, frame_results=True)
    assert result.segments[-1].end_frame == len(pose)
    # What the service computed is what the graph computes of the same frames.
    want = read_bundle(path).step.run(pose)
    assert_close(np.array([frame.embedding for frame in result.frame_results]), want.embedding)
    assert_close(np.array([frame.surprise for frame in result.frame_results]), want.surprise)
