"""Every trial at its smallest: what must be the same on any machine holds; time and memory are for `make chaos`."""

from __future__ import annotations

import json
from random import Random

import pytest
from kineseg.v1 import segmentation_pb2 as pb

from evaluation.chaos.mutator import Mutator
from evaluation.chaos.outcome import Outcome, least, most, none, summary
from evaluation.chaos.size import Size
from evaluation.chaos.trial import CannotRun
from evaluation.chaos.trials import TRIALS

# Of the machine more than of the server.
MEASURED = ("p99", "ratio", "memory")
SIZES = {
    "killed": Size(3.0, 0.04),
    "rolling": Size(3.0, 0.04),
    "redis_restarted": Size(3.0, 0.04),
    "network": Size(5.0, 0.04),
    "disk_full": Size(5.0, 0.04),
    "fuzzing": Size(3.0, 0.5),
    "day": Size(3.0, 0.15),
    "neighbours": Size(2.0, 0.1),
    "door": Size(2.0, 1.0),
}


@pytest.mark.parametrize("trial", SIZES)
def test_a_trial_holds(trial: str) -> None:
    try:
        outcome = TRIALS[trial](SIZES[trial])
    except CannotRun as reason:
        pytest.skip(str(reason))
    counted = [figure for figure in outcome.figures if not any(word in figure.asked.name for word in MEASURED)]
    assert counted
    assert not [(figure, outcome.seen) for figure in counted if not figure.holds]


def test_each_trial_is_tried_here_or_elsewhere() -> None:
    assert set(TRIALS) == set(SIZES) | {"files"}


def test_the_summary_says_of_each_trial_what_was_asked_and_whether_it_holds() -> None:
    outcomes = {
        "good": Outcome((none("lost", 0), most("ratio", 1.2, 1.5), least("share", 1.0, 1.0))),
        "bad": Outcome((none("lost", 1), most("ratio", 1.2, 1.5))),
        "not run": Outcome((least("was run", None, 1.0),)),
    }
    found = json.loads(json.dumps(summary(outcomes)))
    assert found["good"] == {
        "value": {"lost": 0, "ratio": 1.2, "share": 1.0},
        "asked": {"lost": "<= 0", "ratio": "<= 1.5", "share": ">= 1"},
        "holds": True,
    }
    assert (found["bad"]["holds"], found["not run"]["holds"]) == (False, False)


def test_messages_of_all_types_are_made_and_changed_and_are_messages_still() -> None:
    mutator = Mutator(Random(1))
    for kind in pb.DESCRIPTOR.message_types_by_name.values():
        changed, damaged = 0, 0
        for _ in range(20):
            message = mutator.message(kind)
            other = mutator.mutated(message)
            data = other.SerializeToString()
            changed += other != message
            damaged += mutator.damaged(data) != data
            other.FromString(data)
        assert damaged >= 5
        assert changed or not kind.fields
