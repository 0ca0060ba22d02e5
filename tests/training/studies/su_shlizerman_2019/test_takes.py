"""Case (ii): annotated takes segmented with the oracle split and without it, at tiny size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kineseg_training.commands import app
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.exhibit import Exhibit, RunContext
from kineseg_training.studies.su_shlizerman_2019.takes.data import (
    Take,
    decode_spans,
    fill_nearest,
    fill_per_span,
    load_take,
    take_numbers,
    window_starts,
)
from kineseg_training.studies.su_shlizerman_2019.takes.run import BARS, MOF, takes
from kineseg_training.studies.su_shlizerman_2019.takes.segment import (
    MIXED,
    NO_ORACLE,
    ORACLE_SPLIT,
    SETTINGS,
    Segmented,
    load_segmented,
    save_take,
    segment_take,
    variants_of,
)
from typer.testing import CliRunner

PIECE = (250, 1450)


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Stretches that follow one another, as true segments do."""
    lengths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=8))
    ends = np.cumsum(lengths).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


@given(spans(), st.integers(2, 20), st.integers(1, 20))
def test_no_window_of_the_oracle_crosses_a_boundary_and_none_is_left_out(
    segments: list[tuple[int, int]], source: int, target: int
) -> None:
    starts = window_starts(segments, source, target)
    for first, last in segments:
        mine = [start for start in starts.tolist() if first <= start < last]
        assert all(start + source + target <= last for start in mine)
        # Another one would not fit, nor is there a hole between two.
        assert mine == list(range(first, first + len(mine) * target, target))
        assert first + len(mine) * target + source + target > last
    assert len(starts) == len(set(starts.tolist()))


@given(spans(), st.data())
def test_filling_per_segment_never_takes_a_label_from_another_segment(
    segments: list[tuple[int, int]], data: st.DataObject
) -> None:
    length = segments[-1][1]
    decoded = np.array(sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=1))))
    # Each decoded row's label says which row it is.
    filled = fill_per_span(decoded, decoded, length, segments)
    assert (filled[decoded] == decoded).all()
    for first, last in segments:
        mine = [row for row in decoded.tolist() if first <= row < last]
        for row in range(first, last):
            candidates = mine or decoded.tolist()
            assert abs(filled[row] - row) == min(abs(other - row) for other in candidates)
            assert filled[row] in candidates


def test_filling_without_the_truth_takes_what_is_nearest_in_time() -> None:
    labels = fill_nearest(np.array([7, 8, 9]), np.array([3, 4, 8]), 11)
    assert labels.tolist() == [7, 7, 7, 7, 8, 8, 8, 9, 9, 9, 9]


def test_what_the_oracle_decodes_depends_on_its_own_segment_only() -> None:
    torch.manual_seed(0)
    model = TiedSeq2Seq(TiedSettings(3, 8, source=5, target=4)).eval()
    frames = np.random.default_rng(0).standard_normal((60, 3))
    changed = frames.copy()
    changed[:30] += 1.0
    segments = [(0, 30), (30, 60)]
    before, after = (decode_spans(model, each, segments) for each in (frames, changed))
    second = before.frames >= 30
    np.testing.assert_array_equal(before.states[second], after.states[second])
    assert not np.array_equal(before.states[~second], after.states[~second])
    # It never decodes what follows a boundary at once; without it, that is decoded from what was read before.
    assert before.frames[second].min() == 35
    whole, whole_after = (decode_spans(model, each, [(0, 60)]) for each in (frames, changed))
    bridge = (whole.frames >= 30) & (whole.frames < 35)
    assert bridge.any()
    assert (whole.states[bridge] != whole_after.states[bridge]).any()


def test_a_take_keeps_what_moves_and_its_truth(cmu_folder: Path) -> None:
    whole, piece = load_take(cmu_folder, "1"), load_take(cmu_folder, "01", every=4, frames=PIECE)
    assert whole.name == "01"
    assert whole.frames.shape == (whole.recording.n_frames, len(whole.channels))
    kept = np.isin(whole.recording.channels, whole.channels)
    moved = np.asarray(whole.recording.frames).std(axis=0)
    assert moved[~kept].max() < moved[kept].min()
    assert whole.classes == 4
    assert (whole.frames.std(axis=0) > 0).all()
    assert piece.recording.n_frames == PIECE[1] - PIECE[0]
    assert len(piece.frames) == 300
    for take in (whole, piece):
        # The rows of a true segment are frames of that segment.
        for first, last in take.spans:
            assert len(set(take.labels[np.arange(first, last) * take.every].tolist())) == 1
        truth = take.labels[np.arange(len(take.frames)) * take.every]
        np.testing.assert_array_equal(take.at_own_rate(truth)[:: take.every], take.labels[:: take.every])
    assert take_numbers(cmu_folder) == ("01", "03", "05", "07", "09", "11")


def test_takes_that_cannot_be_used_are_refused_clearly(cmu_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no such take; there are: 01, 03"):
        load_take(cmu_folder, "02")
    with pytest.raises(DataError, match=r"one action only \(walking\)"):
        load_take(cmu_folder, "01", frames=(0, 500))
    with pytest.raises(SettingsError, match="every"):
        load_take(cmu_folder, "01", every=0)
    (tmp_path / "subject_86").mkdir()
    (tmp_path / "subject_86" / "01.mat").write_bytes((cmu_folder / "subject_86" / "01.mat").read_bytes())
    with pytest.raises(DataError, match="not annotated"):
        load_take(tmp_path, "01")
    with pytest.raises(DataError, match="shorter than a window"):
        run(load_take(cmu_folder, "01", every=40, frames=PIECE), tmp_path)


def run(take: Take, out: Path) -> tuple[Segmented, ...]:
    """All variants at tiny size."""
    return segment_take(take, SETTINGS["tiny"], out, variants_of(oracle=True, plain=True, mixed=True), progress=False)


def test_every_variant_has_a_name_and_its_result_can_be_read_again(cmu_folder: Path, tmp_path: Path) -> None:
    take = load_take(cmu_folder, "01", every=4, frames=PIECE)
    found = run(take, tmp_path)
    assert {(one.variant, one.linkage) for one in found} == {
        (variant, linkage) for variant in (ORACLE_SPLIT, NO_ORACLE, *MIXED) for linkage in ("single", "average")
    }
    for one in found:
        assert ("ORACLE" in one.variant.name) == one.variant.oracle
        assert one.labels.shape == take.labels.shape
        # Labels carry the numbers of the classes that they were matched to.
        assert one.scores.mof == pytest.approx((one.labels == take.labels).mean())
        assert len(set(one.labels.tolist())) <= take.classes
    # With the oracle's filling a label changes within a true segment only where it was decoded to.
    save_take(take, found, tmp_path)
    number, again = load_segmented(tmp_path)
    assert number == "01"
    for one, other in zip(found, again, strict=True):
        assert (one.variant, one.linkage, one.scores) == (other.variant, other.linkage, other.scores)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_allclose(one.states, other.states, atol=1e-3)
    # What was trained is used again, and gives the same.
    stamps = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/last.pt")}
    assert len(stamps) == 2
    assert [one.scores for one in run(take, tmp_path)] == [one.scores for one in found]
    assert {file: file.stat().st_mtime_ns for file in tmp_path.glob("*/last.pt")} == stamps


def test_a_result_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no take\.json"):
        load_segmented(tmp_path)


@pytest.mark.parametrize(
    ("option", "named", "unnamed"),
    [
        ("--oracle-split", ["ORACLE split (as published)"], ["no oracle"]),
        ("--no-oracle-split", ["no oracle"], ["ORACLE"]),
        (None, ["ORACLE split (as published)", "no oracle"], []),
    ],
)
def test_the_command_names_the_oracle_wherever_it_was_asked(
    cmu_folder: Path, tmp_path: Path, option: str | None, named: list[str], unnamed: list[str]
) -> None:
    command = ["baseline", "take", "01", str(tmp_path / "out"), "--preset", "tiny", "--quiet", "--every", "8"]
    command += ["--cmu", str(cmu_folder), "--iterations", "3", *([option] if option else [])]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert all(text in done.output for text in named)
    assert not any(text in done.output for text in unnamed)
    assert "4 classes (given)" in done.output


def test_the_experiment_says_what_the_oracle_is_worth(cmu_folder: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "takes", "tiny", cmu=cmu_folder, progress=False)
    context.out.mkdir()
    exhibit = takes(context)
    exhibit.save(context.out)
    assert Exhibit.load(context.out) == exhibit
    for name in (BARS, MOF):
        assert (context.out / name).read_bytes().startswith(b"\x89PNG")
    figures = exhibit.figures
    assert 0 < figures["mof_no_oracle"] <= 1
    assert 0 < figures["mof_oracle_split"] <= 1
    text = exhibit.text()
    assert f"{figures['mof_oracle_split']:.0%}" in text
    assert f"{figures['mof_no_oracle']:.0%}" in text
    rows = {row[1]: row for row in exhibit.tables[0].rows if row[2] == "single"}
    assert rows["ORACLE split (as published)"][3] == pytest.approx(figures["mof_oracle_split"])
    # What an interrupted run had finished is not done again.
    changed = replace(context, seed=1)
    assert takes(changed).figures == figures
