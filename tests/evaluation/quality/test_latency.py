"""Delay against accuracy: what is decided at several budgets, and the page."""

from __future__ import annotations

from pathlib import Path

import kineseg
import numpy as np
import pytest
from kineseg.motion import Recording, generate
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.opening import Opener

from evaluation.quality import budgets, service
from evaluation.quality.latency import main
from evaluation.quality.stream import AnnotatedStream, from_truth

BUDGETS_S = (0.5, 1.0, 4.0)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    path = packaged_bundle()
    assert path is not None
    return load_bundle(path)


def _signal() -> AnnotatedStream:
    rng = np.random.default_rng(5)
    levels = np.repeat(rng.normal(size=(6, 8)), 300, axis=0)
    frames = (levels + 0.1 * rng.normal(size=levels.shape)).astype(np.float32)
    frames[100:140, 3] = np.nan
    recording = Recording(frames, 50.0, tuple(f"c{i}" for i in range(8)), name="levels")
    return AnnotatedStream("made", "levels", recording, np.zeros((0, 3)), None, model="scratch")


def _body() -> AnnotatedStream:
    return from_truth("generated", generate(4, rate=60.0, duration_s=40.0))


@pytest.mark.parametrize("stream", [_body(), _signal()], ids=["body", "signal"])
def test_each_budget_decides_what_a_stream_of_its_own_would(stream: AnnotatedStream, bundle: Bundle) -> None:
    found = budgets.segment(stream, Opener({bundle.name: bundle}), bundle, BUDGETS_S)
    for budget_s, ours in zip(BUDGETS_S, found, strict=True):
        alone = kineseg.segment(stream.recording, model=stream.model or "motion", latency_s=budget_s)
        theirs = service.final(stream, alone)
        assert ours.boundaries.tolist() == theirs.boundaries.tolist() != []
        assert ours.emitted.tolist() == theirs.emitted.tolist()
        assert ours.labels is not None
        assert np.array_equal(ours.labels, theirs.labels)
        assert np.max(ours.emitted - ours.boundaries) <= budget_s * stream.rate + 1


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_the_page_gets_its_table_and_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "latency.md"
    page.write_text("# Delay\n\n<!-- latency -->\nold\n<!-- /latency -->\n\nThe end.\n")
    assert main(["--sets", "generated", "--streams", "1", "--budgets", "4", "1", "--into", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("# Delay\n")
    assert text.endswith("\nThe end.\n")
    assert "old" not in text
    assert "| set | 1 s | 4 s |" in text  # sorted
    (row,) = (line for line in text.splitlines() if line.startswith("| generated |"))
    assert row in capsys.readouterr().out
    shares, delays = zip(*(cell.removesuffix(" s ").split(", ") for cell in row.split("|")[2:-1]), strict=True)
    assert all(70 < float(share) <= 100 for share in shares)
    assert float(delays[0]) <= 1.0 < float(delays[1]) <= 4.0
    assert (tmp_path / "latency.png").stat().st_size > 1000


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_budget_that_a_server_does_not_offer_is_refused_in_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sets", "generated", "--streams", "1", "--budgets", "60"]) == 1
    assert "generated/synthetic-300: latency_s is 60, it must be 0.5 to 10 seconds" in capsys.readouterr().err


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_page_without_the_place_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    assert main(["--sets", "generated", "--streams", "1", "--budgets", "1", "--into", str(page)]) == 1
    assert "has no <!-- latency -->" in capsys.readouterr().err
    assert page.read_text() == "nothing\n"
