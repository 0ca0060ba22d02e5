"""Videos: what they show, that they can be decoded again, and what is refused."""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from kineseg.motion import CANONICAL_JOINTS, Annotation, Recording, canonical_pose, generate
from kineseg_training.commands import app
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.colors import key_of
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.service.video import Scene, Shot, scene_of, write_video
from kineseg_training.studies.service.video.figure import Stage
from kineseg_training.studies.service.video.frames import shot_size
from kineseg_training.studies.service.video.run import GIF, MP4, STILL, example
from kineseg_training.studies.service.video.scenes import baseline_scene
from kineseg_training.studies.service.video.write import still
from kineseg_training.studies.su_shlizerman_2019.takes.data import load_take
from kineseg_training.studies.su_shlizerman_2019.takes.segment import SETTINGS, save_take, segment_take, variants_of
from PIL import Image, ImageSequence
from typer.testing import CliRunner

SMALL = Shot(1.0, 2.0, fps=8, width=320, height=180)


@pytest.fixture(scope="module")
def motion() -> Recording:
    """Six seconds of made motion with two actions."""
    return generate(seed=3, duration_s=6.0, rate=30.0, actions=("walk", "squat"))


@pytest.fixture(scope="module")
def scene(motion: Recording) -> Scene:
    """The same, with its truth, shifted by half a second, for what was found."""
    assert motion.truth is not None
    found = np.roll(motion.truth.frame_labels(motion.n_frames), 15) + 5
    rows = np.arange(10, motion.n_frames, 3)
    embedding = np.random.default_rng(0).standard_normal((len(rows), 7)).cumsum(axis=0)
    return scene_of(motion, found, embedding, rows, remark="made", decided=((40, 70),))


def decoded(path: Path) -> list[np.ndarray]:
    """All frames of a video."""
    with Image.open(path) if path.suffix == ".gif" else contextlib.nullcontext() as gif:
        if gif is not None:
            return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    size = re.search(rb", (\d+)x(\d+)[ ,]", done.stderr)
    assert size is not None
    return list(np.frombuffer(done.stdout, dtype=np.uint8).reshape(-1, int(size[2]), int(size[1]), 3))


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_video_decodes_again_and_is_the_same_for_the_same_scene(scene: Scene, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert write_video(scene, path, SMALL) == 9
    frames = decoded(path)
    assert len(frames) == 9
    assert {frame.shape for frame in frames} == {(180, 320, 3)}
    # It moves, and what is decoded is what was drawn.
    assert all((a != b).any() for a, b in pairwise(frames))
    drawn = Stage(scene, SMALL.rows(scene), 320, 180).draw(int(SMALL.rows(scene)[4]))
    assert np.abs(frames[4].astype(int) - drawn).mean() < 6
    again = tmp_path / f"b{suffix}"
    write_video(scene, again, SMALL)
    assert again.read_bytes() == path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, again.name]


def test_a_gif_lasts_as_long_as_it_should(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    shot = replace(SMALL, fps=15.0)
    count = write_video(scene, path, shot)
    with Image.open(path) as gif:
        lengths = [frame.info["duration"] for frame in ImageSequence.Iterator(gif)]
    assert len(lengths) == count
    assert sum(lengths) == pytest.approx(1000 * count / 15, abs=10)


def test_a_moment_looks_the_same_whatever_was_drawn_before(scene: Scene) -> None:
    rows = SMALL.rows(scene)
    stage = Stage(scene, rows, 320, 180)
    first = stage.draw(int(rows[0]))
    last = stage.draw(int(rows[-1]))
    np.testing.assert_array_equal(stage.draw(int(rows[0])), first)
    assert (first != last).any()


def test_the_frames_shown_follow_from_seconds_speed_and_fps(scene: Scene) -> None:
    assert Shot(1.0, 2.0, fps=30).rows(scene).tolist() == list(range(30, 61))
    assert Shot(1.0, 2.0, speed=2.0, fps=15).rows(scene).tolist() == list(range(30, 61, 4))
    assert len(Shot(0.0, None, speed=0.5, fps=30).rows(scene)) == 2 * (len(scene.times) - 1) + 1


def test_the_still_is_a_moment_of_the_video(scene: Scene, tmp_path: Path) -> None:
    still(scene, tmp_path / "a.png", SMALL, 1.5)
    row = int(SMALL.rows(scene)[4])
    drawn = Stage(scene, SMALL.rows(scene), 320, 180).draw(row)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), drawn)


def test_a_label_has_the_colour_of_the_class_that_it_is_matched_to() -> None:
    truth = np.array([0] * 10 + [1] * 10 + [2] * 5)
    found = np.array([7] * 9 + [4] * 16)
    key = key_of(found, truth)
    assert key.match == {7: 0, 4: 1}
    assert key.found[7] == key.known[0]
    assert key.found[4] == key.known[1]
    assert key.known[2] not in key.found.values()
    assert key_of(np.array([-1, 3]), None).found.keys() == {3}


def test_the_body_is_in_the_colour_of_its_label(scene: Scene) -> None:
    rows = SMALL.rows(scene)
    row = int(rows[4])
    picture = Stage(scene, rows, 640, 360).draw(row)[70:240, :350]
    color = scene.key.found[int(scene.predicted[row])]
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    assert (picture == wanted).all(axis=2).sum() > 150
    others = set(scene.key.found.values()) - {color}
    for other in others:
        assert not (picture == [int(other[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2).any()


def test_any_source_of_joints_has_a_body(motion: Recording) -> None:
    embedding, rows = np.eye(motion.n_frames), np.arange(motion.n_frames)
    labels = np.zeros(motion.n_frames, dtype=np.int64)
    canonical = canonical_pose(motion)
    assert motion.positions is not None
    markers = Recording(
        frames=np.zeros((motion.n_frames, 1)), rate=motion.rate, channels=("x",),
        positions=np.random.default_rng(0).random((motion.n_frames, len(CANONICAL_JOINTS), 3)),
        joints=CANONICAL_JOINTS, up="z",
    )  # fmt: skip
    for recording in (motion, canonical, markers):
        made = scene_of(recording, labels, embedding, rows)
        assert made.bones
        Stage(made, np.arange(3), 320, 180).draw(1)
    gaps = np.array(motion.positions)
    gaps[:40] = np.nan
    gaps[60:70, 4] = np.nan
    holes = scene_of(replace(motion, positions=gaps), labels, embedding, rows)
    assert np.isfinite(holes.follow).all()
    stage = Stage(holes, np.arange(80), 320, 180)
    assert (stage.draw(10) != stage.draw(65)).any()


def test_what_cannot_be_shown_is_refused_clearly(scene: Scene, motion: Recording, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"must end in \.mp4 or \.gif"):
        write_video(scene, tmp_path / "a.avi", SMALL)
    with pytest.raises(SettingsError, match=r"seconds: 7 to 6 of a recording of"):
        write_video(scene, tmp_path / "a.gif", replace(SMALL, start_s=7.0, stop_s=6.0))
    with pytest.raises(SettingsError, match="the recording ends at"):
        write_video(scene, tmp_path / "a.gif", replace(SMALL, stop_s=60.0))
    with pytest.raises(SettingsError, match="size"):
        Shot(width=321)
    with pytest.raises(SettingsError, match="speed"):
        Shot(speed=0)
    with pytest.raises(SettingsError, match="WIDTHxHEIGHT"):
        shot_size("720p")
    assert shot_size("640x360") == (640, 360)
    labels, rows = np.zeros(motion.n_frames, dtype=np.int64), np.arange(3)
    sensors = Recording(frames=np.zeros((motion.n_frames, 1)), rate=30.0, channels=("volt",))
    with pytest.raises(DataError, match="no joint positions"):
        scene_of(sensors, labels, np.eye(3), rows)
    with pytest.raises(DataError, match=f"{motion.n_frames} frames, but 5 labels"):
        scene_of(motion, labels[:5], np.eye(3), rows)
    with pytest.raises(DataError, match="points of the embedding"):
        scene_of(motion, labels, np.eye(4), rows)
    assert not list(tmp_path.iterdir())


def test_a_label_that_is_nowhere_and_a_still_embedding_are_drawn(motion: Recording, tmp_path: Path) -> None:
    quiet = replace(motion, truth=Annotation((0,), (0,), ("rest",)))
    made = scene_of(quiet, np.full(motion.n_frames, -1), np.ones((4, 3)), np.array([0, 50, 100, 150]))
    write_video(made, tmp_path / "a.gif", SMALL)
    assert len(decoded(tmp_path / "a.gif")) == 9


def test_a_take_of_the_baseline_is_shown_with_the_oracle_named(cmu_folder: Path, tmp_path: Path) -> None:
    take = load_take(cmu_folder, "01", every=8)
    tiny = replace(SETTINGS["tiny"], iterations=3, validate_every=3)
    save_take(take, segment_take(take, tiny, tmp_path, variants_of(oracle=True, plain=False), progress=False), tmp_path)
    made = baseline_scene(tmp_path, cmu_folder, oracle_split=True)
    assert "ORACLE split" in made.remark
    assert made.truth is not None
    out = tmp_path / "out.gif"
    command = ["video", "take", str(tmp_path), str(out), "--oracle-split", "--cmu", str(cmu_folder), "--quiet"]
    done = CliRunner().invoke(app, [*command, "--start", "4", "--stop", "5", "--fps", "5", "--size", "320x180"])
    assert done.exit_code == 0, done.output
    assert len(decoded(out)) == 6
    missing = CliRunner().invoke(app, ["video", "take", str(tmp_path), str(out), "--cmu", str(cmu_folder)])
    assert missing.exit_code == 1
    assert "has no result 'no oracle'" in missing.output
    refused = CliRunner().invoke(app, ["video", "take", str(tmp_path), str(tmp_path / "out.avi")])
    assert refused.exit_code == 1
    assert "must end in .mp4 or .gif" in refused.output


def test_a_recording_is_shown_as_the_service_segments_it(cmu_folder: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "video", "tiny", cmu=cmu_folder, progress=False)
    context.out.mkdir()
    exhibit = example(context)
    exhibit.save(context.out)
    for name, size, count in ((MP4, (270, 480, 3), 6), (GIF, (180, 320, 3), 3)):
        frames = decoded(context.out / name)
        assert len(frames) == count
        assert frames[0].shape == size
    assert np.asarray(Image.open(context.out / STILL)).shape == (270, 480, 3)
    assert 0.5 < exhibit.figures["mof"] <= 1
    assert 0 < exhibit.figures["plane_variance"] < 1


def test_a_recording_without_a_body_and_a_service_that_is_not_there_are_errors(tmp_path: Path) -> None:
    np.savez(tmp_path / "volts.npz", frames=np.random.default_rng(0).random((50, 2)), rate=30.0)
    runner = CliRunner()
    command = ["video", "recording", str(tmp_path / "volts.npz"), str(tmp_path / "a.mp4")]
    done = runner.invoke(app, [*command, "--server", "127.0.0.1:1"])
    assert done.exit_code == 1
    assert "no joint positions" in done.output
    made = generate(seed=0, duration_s=2.0, rate=30.0)
    assert made.positions is not None
    np.savez(tmp_path / "body.npz", positions=made.positions, joints=made.joints, rate=made.rate)
    command[2] = str(tmp_path / "body.npz")
    done = runner.invoke(app, [*command, "--bundle", str(tmp_path / "nothing")])
    assert done.exit_code == 1
    assert "nothing" in done.output
    assert not (tmp_path / "a.mp4").exists()
