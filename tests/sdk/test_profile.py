"""A rig's profile through the SDK: both clients and the segmenter in this process give and take the same."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg import Segmenter
from kineseg.motion import generate

from tests.same_events import content

Frames = np.ndarray[Any, np.dtype[np.float32]]
RATE = 30.0


def test_a_segmentation_gives_the_profile_that_the_next_one_takes(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    assert client.segment(motion[:60], rate=30).profile is None
    first = client.segment(motion[:900], rate=30, return_profile=True)
    kept = json.loads(json.dumps(first.profile))
    second = client.segment(motion[:900], rate=30, profile=kept, return_profile=True)
    assert second.profile["learnt_s"] > kept["learnt_s"]


def test_a_stream_has_its_profile_at_its_end_and_a_session_at_any_time(
    server: str, connect: Any, motion: Frames
) -> None:
    client = connect(server)
    with client.stream(rate=30, return_profile=True) as stream:
        assert stream.profile is None
        stream.send(motion[:900])
        stream.flush()
        detail = client.session(stream.session_id, with_profile=True)
        assert client.session(stream.session_id).profile is None
        stream.end_input()
    assert stream.profile == detail.profile
    assert stream.profile["source"]["rate_hz"] == 30.0


def test_in_this_process_as_on_a_server(server: str, tiny_bundle: Path, motion: Frames) -> None:
    motion = motion[:900]
    segmenter = Segmenter.load(tiny_bundle, rate=30)
    segmenter.update(motion)
    kept = segmenter.profile()
    segmenter.finish()
    assert segmenter.profile() == kept
    with kineseg.Client(server) as client:
        theirs = client.segment(motion, rate=30, return_profile=True)
        assert (
            theirs.profile == kept == kineseg.segment(motion, rate=30, model=tiny_bundle, return_profile=True).profile
        )
        theirs = client.segment(motion, rate=30, profile=kept)
    ours = kineseg.segment(motion, rate=30, model=tiny_bundle, profile=kept)
    assert content(ours.events) == content(theirs.events)


def test_what_was_learnt_survives_a_resume() -> None:
    """A segmenter that was pickled in the middle finds what one that was not finds, and teaches the same."""
    person = generate(5, duration_s=30, rate=RATE, noise=0.002)
    assert person.positions is not None
    positions = person.positions.copy()
    positions[500:540, person.joints.index("left_wrist"), 1] += 0.4
    whole = Segmenter.load("scratch", rate=RATE, joints=kineseg.Joints.of(person))
    expected = [*whole.update(positions), *whole.finish()]
    first = Segmenter.load("scratch", rate=RATE, joints=kineseg.Joints.of(person))
    found = first.update(positions[:400])
    second = pickle.loads(pickle.dumps(first))
    found += [*second.update(positions[400:]), *second.finish()]
    assert content(found) == content(expected)
    assert any(isinstance(event, kineseg.AnomalyRaised) for event in found)
    assert second.profile() == whole.profile()


def test_a_new_stream_of_a_segmenter_begins_with_its_profile_again(tiny_bundle: Path, motion: Frames) -> None:
    motion = motion[:900]
    kept = kineseg.segment(motion, rate=30, model=tiny_bundle, return_profile=True).profile
    assert kept is not None
    segmenter = Segmenter.load(tiny_bundle, rate=30, profile=kept)
    begun = segmenter.profile()
    assert begun["learnt_s"] == kept["learnt_s"]
    segmenter.update(motion)
    segmenter.finish()
    segmenter.reset()
    assert segmenter.profile() == begun


def test_there_is_no_profile_of_unknown_channels() -> None:
    segmenter = Segmenter.load("scratch", rate=30)
    with pytest.raises(kineseg.StreamClosed, match="channels="):
        segmenter.profile()


@pytest.mark.parametrize(
    ("profile", "says"), [([1], "got list"), ({"x": object()}, "plain values"), ({"x": float("nan")}, "plain values")]
)
def test_what_cannot_be_sent_as_a_profile_is_refused_before(server: str, profile: Any, says: str) -> None:
    with kineseg.Client(server) as client, pytest.raises(kineseg.InvalidRequest, match=says) as refused:
        client.stream(rate=30, profile=profile).open()
    assert refused.value.field == "profile"


def test_a_profile_of_another_rig_is_refused_by_both_alike(server: str, tiny_bundle: Path, motion: Frames) -> None:
    kept = kineseg.segment(motion[:900, :2], rate=30, model="scratch", return_profile=True).profile
    with kineseg.Client(server) as client, pytest.raises(kineseg.InvalidRequest, match="another source") as refused:
        client.segment(motion, rate=30, profile=kept)
    assert (refused.value.field, refused.value.reason) == ("config.profile", "FIELD_INVALID")
    with pytest.raises(kineseg.InvalidRequest, match="another source") as refused:
        Segmenter.load(tiny_bundle, rate=30, profile=kept)
    assert refused.value.field == "profile"
