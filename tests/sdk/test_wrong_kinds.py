"""Whatever is given in the place of an argument: what is refused is refused by an error of the SDK that names it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg import motion

THINGS = [
    *(None, object(), True, 3, -1, 10**400, math.nan, -math.inf, 1e300, 1 + 2j),
    *("a", "", b"x", "half \ud800", [], ["a"], [None], {}, {"a": 3}, {3: "a"}),
    *(np.zeros((2, 2)), np.array(["x"]), np.array(object()), np.float32("nan")),
]
RECORDING = motion.generate(seed=1, duration_s=2.0, rate=30.0)


def check(call: Callable[[Any], object], argument: str, *others: str) -> None:
    """What the call raises, if anything, is about that argument, or one of the others that it contradicts."""
    named = {}
    for thing in THINGS:
        try:
            call(thing)
        except (kineseg.KinesegError, motion.MotionError) as error:
            named[repr(thing)] = (error.field or "").partition(".")[0]
    assert named
    assert set(named.values()) <= {argument, *others}, named


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "take.npz"
    np.savez(path, positions=RECORDING.positions, rate=RECORDING.rate, joints=np.array(RECORDING.joints))
    return path


def test_a_path_is_one() -> None:
    for thing in THINGS:
        with pytest.raises(motion.MotionError):
            motion.read(thing)
    for thing in (None, 3, b"take.npz", object()):
        with pytest.raises(motion.MotionFileError, match="path must be the name of a file") as caught:
            motion.read(thing)  # type: ignore[arg-type]
        assert caught.value.field == "path"


@pytest.mark.parametrize("argument", ["rate", "up", "mapping", "layout"])
def test_reading_a_file(file: Path, argument: str) -> None:
    check(lambda thing: motion.read(file, **{argument: thing}), argument)


@pytest.mark.parametrize("argument", list(inspect.signature(motion.generate).parameters))
def test_synthetic_motion(argument: str) -> None:
    def call(thing: Any) -> None:
        motion.generate(**({"duration_s": 2.0, "rate": 30.0} | {argument: thing}))

    check(call, argument, "min_segment_s")


@pytest.mark.parametrize("argument", ["fault", "start_s", "duration_s", "seed"])
def test_faults_that_are_put_in(argument: str) -> None:
    given = {"fault": "frozen", "start_s": 0.5, "duration_s": 1.0, "seed": 0}
    check(lambda thing: motion.inject(RECORDING, **(given | {argument: thing})), argument, "start_s")


def test_a_wait(connect: Any, scripted: Any) -> None:
    client = connect(scripted.address)
    with client.stream(rate=30) as stream:
        for thing in (-1, -math.inf, 0, 0.001):
            assert stream.poll(thing) == []
        for thing in (None, "1", math.nan, object(), [1.0], True):
            with pytest.raises(kineseg.InvalidRequest, match="timeout must be seconds") as caught:
                stream.poll(thing)
            assert caught.value.field == "timeout"
    with client.streams() as streams, pytest.raises(kineseg.InvalidRequest, match="timeout must be seconds"):
        streams.poll("1")


@pytest.mark.parametrize("argument", ["session_id", "kinds", "cursor", "resume"])
def test_watching(connect: Any, scripted: Any, argument: str) -> None:
    client = connect(scripted.address)
    check(lambda thing: client.watch(**{argument: thing}).close(), argument)


ARGUMENTS = [name for name in inspect.signature(kineseg.segment).parameters if name != "recording"]


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_segmenting_in_this_process(argument: str) -> None:
    def call(thing: Any) -> None:
        given: dict[str, Any] = {"model": "scratch"} | {argument: thing}
        kineseg.segment(np.zeros((30, 5)), **({"rate": 30.0} | given))

    check(call, argument, *(["frames"] if argument == "channels" else []))


def test_the_state_of_a_segmenter() -> None:
    for thing in THINGS:
        with pytest.raises(kineseg.KinesegError):
            kineseg.Segmenter.from_state(thing)


@pytest.mark.parametrize("argument", ["mapping", "rate", "channels"])
def test_segmenting_a_recording(argument: str) -> None:
    check(lambda thing: kineseg.segment(RECORDING, **{argument: thing}), argument, "rate")


TAUGHT = ["name", "recording", "frames", "channels", "model", "source", "mapping", "session_id"]


@pytest.mark.parametrize("argument", TAUGHT)
def test_teaching_a_name(connect: Any, scripted: Any, argument: str) -> None:
    client = connect(scripted.address)
    given = {"name": "walk", "recording": np.zeros((30, 3)), "rate": 30.0}
    check(lambda thing: client.teach_name(**(given | {argument: thing})), argument, "example", "segment_id", "frames")
