"""Exported bundles: the graph agrees with PyTorch, the manifest with the files, and equal input gives equal bytes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf import json_format
from kineseg.v1 import bundle_pb2
from kineseg_training.data import Corpus, Source, generated_actions, load_corpus, resample
from kineseg_training.default.export import ExportSettings, export
from kineseg_training.default.graph import step_graph
from kineseg_training.default.task import FitSettings
from kineseg_training.default.trained import Trained, fit
from kineseg_training.errors import BundleError, CheckpointError, DataError, SettingsError
from kineseg_training.export.features import PredictorTrace, View
from kineseg_training.export.metric import MetricSettings, learn_metric
from kineseg_training.export.pack import channel_unit
from kineseg_training.export.step import Step, read_bundle
from kineseg_training.export.surprise import learn_surprise

SMALL = ExportSettings(name="tiny", metric=MetricSettings(dimensions=8), description="Made up.", licence="Apache-2.0")
# Graph and PyTorch add the same float32 numbers in another order; over a thousand steps of a recurrent cell this stays
# within a ten-thousandth of the largest value of each output.
TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=["gru", "lstm"])
def trained(request: pytest.FixtureRequest, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model trained so briefly that it is small, yet not what it was initialised to."""
    settings = FitSettings(
        hidden=20, cell=request.param, source=12, target=6, shortest_source=4, batch=8, steps=15, epochs=1,
        learning_rate=1e-2,
    )  # fmt: skip
    return fit(corpus, settings, tmp_path_factory.mktemp("run"), progress=False)


@pytest.fixture(scope="module")
def bundle(trained: Trained, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(trained, corpus, tmp_path_factory.mktemp("bundles") / "tiny", SMALL)


def manifest_of(bundle: Path) -> bundle_pb2.BundleManifest:
    return json_format.Parse((bundle / "manifest.json").read_text(), bundle_pb2.BundleManifest())


def assert_close(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= TOLERANCE * np.abs(expected).max()


def thousand_frames(corpus: Corpus, n_streams: int) -> np.ndarray:
    """``(B, 1000, C)``: takes one after another, each stream beginning elsewhere."""
    joined = np.concatenate([resample(clip.frames, clip.rate, 30.0) for clip in corpus.clips])
    return np.stack([np.roll(joined, -137 * b, axis=0)[:1000] for b in range(n_streams)]).astype(np.float32)


@pytest.mark.parametrize("n_streams", [1, 7])
@pytest.mark.parametrize("blocks", [("pose", "speed", "state"), ("state",), ("pose", "speed")])
def test_a_thousand_steps_agree_with_pytorch(
    trained: Trained, corpus: Corpus, n_streams: int, blocks: tuple[str, ...]
) -> None:
    settings = replace(SMALL, blocks=blocks)  # type: ignore[arg-type]
    model = trained.model
    frames = thousand_frames(corpus, n_streams)
    streams = [PredictorTrace.through(model, each) for each in frames]
    view = View.of(np.concatenate([stream.frames for stream in streams]))
    metric = learn_metric([stream.features(settings.blocks, view) for stream in streams], 30.0, settings.metric)
    surprise = learn_surprise([stream.squared_error() for stream in streams], corpus.channels)
    step = Step(step_graph(model, metric, settings.blocks, view, surprise).SerializeToString())

    state = step.initial(n_streams)
    outputs = []
    for t in range(frames.shape[1]):
        row, state = step(np.ascontiguousarray(frames[:, t]), state)
        outputs.append(row)

    mean, scale = model.mean.numpy(), model.scale.numpy()
    for b, stream in enumerate(streams):
        assert_close(np.stack([row.prediction[b] for row in outputs]), mean + scale * stream.prediction)
        assert_close(np.stack([row.surprise[b] for row in outputs]), stream.surprise(surprise))
        assert_close(
            np.stack([row.embedding[b] for row in outputs]), metric.embed(stream.features(settings.blocks, view))
        )


def test_a_stream_does_not_depend_on_the_others(bundle: Path, corpus: Corpus) -> None:
    step = read_bundle(bundle).step
    frames = thousand_frames(corpus, 5)[:, :50]
    together, state = [], step.initial(5)
    for t in range(50):
        row, state = step(np.ascontiguousarray(frames[:, t]), state)
        together.append(row)
    for b in range(5):
        alone = step.run(frames[b])
        assert_close(np.stack([row.embedding[b] for row in together]), alone.embedding)
        assert_close(np.stack([row.surprise[b] for row in together]), alone.surprise)


def test_surprise_is_about_the_prediction_before(bundle: Path, corpus: Corpus) -> None:
    step = read_bundle(bundle).step
    frames = thousand_frames(corpus, 1)[0, :100]
    outputs = step.run(frames)
    assert outputs.surprise[0] == 0.0
    as_predicted = frames.copy()
    as_predicted[50] = outputs.prediction[49]
    assert step.run(as_predicted).surprise[50] == pytest.approx(0.0, abs=1e-6)


def test_one_joint_that_jumps_is_a_greater_surprise_than_all_that_move_a_little(bundle: Path, corpus: Corpus) -> None:
    step = read_bundle(bundle).step
    frames = thousand_frames(corpus, 1)[0, :100]
    usual = step.run(frames).surprise[40:60]
    hand = [corpus.channels.index(f"left_wrist.{axis}") for axis in "xyz"]
    jumped, moved = frames.copy(), frames.copy()
    jumped[50, hand] += 0.3
    moved[50] += 0.3 / np.sqrt(len(corpus.channels) / 3)  # as far in all
    assert step.run(jumped).surprise[50] > max(10 * usual.max(), step.run(moved).surprise[50])


def test_the_graph_has_the_promised_inputs_and_outputs(bundle: Path, trained: Trained) -> None:
    graph = onnx.load(bundle / "model.onnx").graph
    manifest = manifest_of(bundle)

    def shapes(values: list[onnx.ValueInfoProto]) -> dict[str, list[object]]:
        return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}

    n_state = sum(part.size for part in manifest.state)
    assert shapes(graph.input) == {"frame": ["batch", 59], "state": ["batch", n_state]}
    assert shapes(graph.output) == {
        "prediction": ["batch", 59],
        "surprise": ["batch"],
        "embedding": ["batch", 8],
        "next_state": ["batch", n_state],
    }
    assert manifest.family == f"seq2seq-{trained.settings.cell}"
    assert {node.domain for node in graph.node} == {""}
    assert not {"GRU", "LSTM", "Loop", "Scan"} & {node.op_type for node in graph.node}


def test_the_manifest_tells_what_is_in_the_bundle(bundle: Path, corpus: Corpus) -> None:
    manifest = manifest_of(bundle)
    assert (manifest.schema_version, manifest.name, manifest.version) == (1, "tiny", "1.0.0")
    assert [channel.name for channel in manifest.channels] == list(corpus.channels)
    assert manifest.channels[0].unit == "body size"
    assert manifest.frame_rate_hz == 30.0
    assert manifest.embedding_dim == 8
    assert len(manifest.normalization.mean) == len(manifest.normalization.scale) == 59
    assert min(manifest.normalization.scale) > 0.0
    assert manifest.training_data.fingerprint == corpus.fingerprint
    assert manifest.training_data.recordings == 6
    assert manifest.calibration.log_surprise_scale > 0.0
    assert manifest.metrics["held_out_windows"] > 0


def test_every_file_is_hashed(bundle: Path) -> None:
    listed = {file.path: file.sha256 for file in manifest_of(bundle).files}
    there = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in bundle.iterdir() if p.name != "manifest.json"}
    assert listed == there
    assert sorted(there) == ["README.md", "golden.npz", "model.onnx"]


def test_golden_steps_come_out_again(bundle: Path) -> None:
    golden = np.load(bundle / "golden.npz")
    assert golden["frames"].shape == (64, 59)
    assert golden["frames"].dtype == np.float32
    outputs = read_bundle(bundle).step.run(golden["frames"])
    tolerance = manifest_of(bundle).golden_tolerance
    for name in ("prediction", "surprise", "embedding"):
        error = np.abs(getattr(outputs, name) - golden[name]).max()
        assert error <= tolerance * np.abs(golden[name]).max()


def test_the_card_tells_data_licence_and_figures(bundle: Path) -> None:
    card = (bundle / "README.md").read_text()
    manifest = manifest_of(bundle)
    assert card.startswith("# tiny 1.0.0\n")
    for text in ("Made up.", "Apache-2.0", manifest.training_data.fingerprint, "one frame ahead"):
        assert text in card
    assert f"{manifest.metrics['held_out_one_step']:.4f}" in card


def test_equal_input_gives_equal_bytes(bundle: Path, trained: Trained, corpus: Corpus, tmp_path: Path) -> None:
    again = export(trained, corpus, tmp_path / "again", SMALL)
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {p.name: p.read_bytes() for p in bundle.iterdir()}
    archives = [export(trained, corpus, tmp_path / f"{i}.zip", SMALL).read_bytes() for i in range(2)]
    assert archives[0] == archives[1]
    with zipfile.ZipFile(io.BytesIO(archives[0])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            p.name: p.read_bytes() for p in bundle.iterdir()
        }
    assert read_bundle(tmp_path / "0.zip").manifest == manifest_of(bundle)


def test_only_a_bundle_is_replaced(trained: Trained, corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    with pytest.raises(BundleError, match="not a bundle"):
        export(trained, corpus, tmp_path / "letters", SMALL)
    with pytest.raises(BundleError, match="is a file"):
        export(trained, corpus, tmp_path / "letters" / "dear.txt", SMALL)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "keep me"
    export(trained, corpus, tmp_path / "out", SMALL)
    export(trained, corpus, tmp_path / "out", replace(SMALL, version="2.0.0"))
    assert manifest_of(tmp_path / "out").version == "2.0.0"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["letters", "out"]


def test_held_out_takes_may_be_others(trained: Trained, corpus: Corpus, bundle: Path, tmp_path: Path) -> None:
    held_out = load_corpus(Source(synthetic=1))
    other = manifest_of(export(trained, corpus, tmp_path / "other", SMALL, held_out=held_out))
    assert other.calibration != manifest_of(bundle).calibration
    assert other.training_data == manifest_of(bundle).training_data


def test_the_metric_may_learn_from_more_than_the_predictor(
    trained: Trained, corpus: Corpus, bundle: Path, tmp_path: Path
) -> None:
    more = generated_actions(1, ("kick", "turn"))
    other = export(trained, corpus, tmp_path / "other", SMALL, more=more)
    golden, before = (np.load(path / "golden.npz") for path in (other, bundle))
    for name in ("frames", "prediction", "surprise"):
        np.testing.assert_array_equal(golden[name], before[name])
    assert np.abs(golden["embedding"] - before["embedding"]).max() > 0.01
    assert_close(read_bundle(other).step.run(golden["frames"]).embedding, golden["embedding"])
    assert manifest_of(other).training_data == manifest_of(bundle).training_data
    with pytest.raises(DataError, match="further takes"):
        export(trained, corpus, tmp_path / "c", SMALL, more=replace(more, channels=("a",)))


def test_settings_of_the_segmenter_travel_with_the_bundle(trained: Trained, corpus: Corpus, tmp_path: Path) -> None:
    settings = replace(SMALL, segmenter={"penalty": 2.5})
    assert dict(manifest_of(export(trained, corpus, tmp_path / "b", settings)).calibration.segmenter) == {
        "penalty": 2.5
    }


def test_other_data_than_it_was_trained_on(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not what the model was trained on"):
        export(trained, load_corpus(Source(synthetic=1)), tmp_path / "b", SMALL)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(SettingsError, match="name must be of lower-case"):
        ExportSettings(name="My Model")
    with pytest.raises(SettingsError, match="blocks must be some of pose, speed, state"):
        ExportSettings(blocks=("pose", "smell"))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="version"):
        ExportSettings(version="")


def test_what_is_not_a_bundle(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(BundleError, match="not a bundle"):
            read_bundle(path)
    with pytest.raises(BundleError, match="not the graph of a streaming step"):
        Step(b"nonsense")


def test_units_of_channels() -> None:
    assert channel_unit("left_knee.x") == "body size"
    assert channel_unit("root.velocity_z") == "body size/s"
    assert channel_unit("root.yaw_rate") == "rad/s"
    assert channel_unit("gyro") == ""
