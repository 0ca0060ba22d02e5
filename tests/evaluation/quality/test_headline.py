"""The main table and the summary: who is ahead of whom, by which figure, and what is asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.asked import plain
from evaluation.quality import headline_table, summary
from evaluation.quality.calibration import Reliability, pooled
from evaluation.quality.errors import QualityError
from evaluation.quality.headline import headlines, verdict
from evaluation.quality.looked_at import Setting, looked_at, total, tried_on
from evaluation.quality.results import FINAL, PROVISIONAL, Kind, MethodResult, SetResult
from evaluation.quality.scores import Prediction, StreamScore

PENALTY = Setting("penalty", 3, "1.2", ("mocap6", "bvh"))


def row(
    method: str, kind: Kind, shares: dict[str, float], delays: tuple[float, ...] = (), counts: tuple[int, ...] = (0,)
) -> MethodResult:
    said = tuple(Prediction.of([(10 * i + 10, 10 * i + 30) for i in range(count)], 1000) for count in counts)
    each = (StreamScore(shares, delays),) * len(counts)
    return MethodResult(method, kind, StreamScore(shares, delays), each, said, 2.0, delays)


def made(name: str, ours: dict[str, float], *peers: dict[str, float], left_out: bool = False) -> SetResult:
    rows = [row(FINAL, "ours", ours), *(row(f"peer {i}", "peer", shares) for i, shares in enumerate(peers))]
    return SetResult(name, left_out=left_out, rows=rows)


def test_ours_is_compared_with_the_best_peer_by_the_figure_of_the_set() -> None:
    results = [
        made("takes", {"bf1": 0.9}, {"bf1": 0.7}, {"bf1": 0.8}),
        made("tssb", {"bf1": 0.1, "covering": 0.5}, {"bf1": 0.9, "covering": 0.4}, {"bf1": 0.0, "covering": 0.8}),
        made("skab", {"bf1": 0.9}),
    ]
    takes, tssb, skab = headlines(results, (), packaged=True)
    assert takes.best_peer is not None
    assert takes.best_peer.method == "peer 1"
    assert takes.ahead == pytest.approx(0.1)
    assert tssb.best_peer is not None
    assert tssb.best_peer.method == "peer 1"
    assert tssb.ahead == pytest.approx(-0.3)
    assert skab.ahead is None
    found = verdict([takes, tssb, skab])
    assert found is not None
    assert (found.sets, found.worst) == (2, "tssb")
    assert found.mean_ahead == pytest.approx(-0.1)
    assert headline_table.verdict_lines([takes, tssb, skab]) == [
        "mean over 2 sets, 1 of them not left out, of ours minus the best online peer: -10.0",
        "the worst set: tssb, -30.0",
    ]
    assert verdict([skab]) is None


def test_a_reader_sees_which_sets_are_not_left_out() -> None:
    results = [made("takes", {"bf1": 1.0}), made("bvh", {"bf1": 1.0}, left_out=True), made("skab", {"bf1": 1.0})]
    takes, bvh, skab = headlines(results, [PENALTY], packaged=True)
    assert "in the training streams" in takes.seen
    assert "3 values of settings" in takes.seen  # mocap6 is of their family
    assert bvh.seen == ""
    assert skab.seen == ""
    lines = "\n".join(headline_table.markdown([takes, bvh, skab]))
    assert "| takes&ast; |" in lines
    assert "| bvh |" in lines
    assert [each.seen for each in headlines(results, [PENALTY], packaged=False)][1:] == ["", "not known of the bundle "]


def test_what_was_not_measured_does_not_hold() -> None:
    result = made("takes", {"bf1": 0.92, "mof": 0.5}, {"bf1": 0.92})
    found = plain(summary.reached(headlines([result], (), packaged=True)))
    assert found["takes bf1"] == {"value": 0.92, "asked": 0.92, "holds": True}
    assert found["takes mof"] == {"value": 0.5, "asked": 0.88, "holds": False}
    assert found["takes minus best peer"] == {"value": 0.0, "asked": 0.0, "holds": True}
    assert found["mocap6 bf1"] == {"value": None, "asked": 0.88, "holds": False}
    assert found["provisional optical mocap bf1"]["value"] is None
    assert found["expected calibration error"]["value"] is None
    assert all(not each["holds"] for each in plain(summary.reached([])).values())


def test_times_segments_and_both_optical_sets() -> None:
    takes = [row(FINAL, "ours", {"bf1": 1.0}, (2.0, 3.9)), row(PROVISIONAL, "ours", {"bf1": 0.7}, (0.5,))]
    mocap6 = [row(FINAL, "ours", {"bf1": 1.0}, (3.0,)), row(PROVISIONAL, "ours", {"bf1": 0.9}, (0.7, 0.9))]
    idle = [row(FINAL, "ours", {"covering": 1.0}, counts=(0, 2, 0))]
    results = [SetResult("takes", rows=takes), SetResult("mocap6", rows=mocap6), SetResult("idle", rows=idle)]
    found = plain(summary.reached(headlines(results, (), packaged=True)))
    assert found["median final delay"] == {"value": 3.0, "asked": 2.8, "holds": False}
    assert found["largest final delay"] == {"value": 3.9, "asked": 4.0, "holds": True}
    assert found["provisional optical mocap bf1"]["value"] == pytest.approx(0.8)
    assert found["provisional optical mocap median delay"] == {"value": 0.7, "asked": 0.8, "holds": True}
    assert found["idle segments"] == {"value": 3.0, "asked": 1.0, "holds": False}
    assert idle[0].boundaries_per_minute == 1.0


def test_confidence_is_pooled_by_counts() -> None:
    def all_in_one_bin(count: int, confidence: float, confirmed: float) -> Reliability:
        bins = np.zeros(10)
        bins[7] = 1.0
        counts, said, became = (tuple((bins * value).tolist()) for value in (count, confidence, confirmed))
        return Reliability(tuple(map(int, counts)), said, became, 0.2, abs(confidence - confirmed))

    found = pooled([all_in_one_bin(30, 0.7, 0.6), all_in_one_bin(10, 0.78, 0.98)])
    assert found is not None
    assert found.total == 40
    assert found.confidence[7] == pytest.approx(0.72)
    assert found.confirmed[7] == pytest.approx(0.695)
    assert found.error == pytest.approx(0.025)
    assert found.brier == pytest.approx(0.2)
    assert pooled([]) is None


def test_settings_that_were_looked_at_are_counted() -> None:
    settings = looked_at()
    assert total(settings) == sum(setting.values for setting in settings) > 0
    assert tried_on("takes", [PENALTY]) == tried_on("bvh", [PENALTY]) == 3
    assert tried_on("skab", [PENALTY]) == 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"name": "penalty"}, "setting 0: expected the fields"),
        ({"name": "penalty", "values": 0, "chosen": "1", "sets": ["bvh"]}, "values is 0"),
        ({"name": "penalty", "values": 2, "chosen": "1", "sets": []}, "sets is"),
        ({"name": "penalty", "values": 2, "chosen": "1", "sets": ["bvhs"]}, "sets has 'bvhs'"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, setting: dict[str, object], said: str) -> None:
    path = tmp_path / "looked_at.json"
    path.write_text(json.dumps({"settings": [setting]}))
    with pytest.raises(QualityError, match=said):
        looked_at(path)
    path.write_text("[]")
    with pytest.raises(QualityError, match="expected"):
        looked_at(path)
