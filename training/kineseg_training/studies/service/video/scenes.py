"""Where a video's scene comes from: a real server that the recording is streamed to, or the offline baseline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kineseg
import numpy as np
from kineseg.motion import CANONICAL_CHANNELS, MotionError, Recording, canonical_pose

from kineseg_training.errors import DataError, EvaluationError
from kineseg_training.export.step import read_bundle
from kineseg_training.server_process import running_server
from kineseg_training.studies.service.video.frames import Scene, scene_of
from kineseg_training.studies.su_shlizerman_2019.takes.data import load_take
from kineseg_training.studies.su_shlizerman_2019.takes.segment import NO_ORACLE, ORACLE_SPLIT, load_segmented


@contextmanager
def service(server: str | None, bundle: Path) -> Iterator[str]:
    """The address of a service: the one named, or one of our own with `bundle` until the block ends.

    Raises:
        BundleError: `bundle` is not one.
        EvaluationError: Our own did not start.
    """
    if server is not None:
        yield server
        return
    read_bundle(bundle)  # says what is wrong sooner and more clearly than a server that does not start
    with running_server(bundle) as address:
        yield address


def served(recording: Recording, address: str, *, model: str = "", latency_s: float | None = None) -> Scene:
    """Stream the recording to the service at `address` and put together what it answered.

    Args:
        recording: With joint positions, or in canonical channels.
        address: ``host:port``.
        model: Of the server's models; its default model unless given.
        latency_s: Latency budget; the server's default unless given.

    Raises:
        DataError: The recording has no body to draw, or joints that are no human body.
        EvaluationError: The service cannot be reached, refused or failed.
    """
    if recording.positions is None and recording.channels != CANONICAL_CHANNELS:
        raise DataError(
            f"{recording.name}: has no joint positions, so there is no body to draw; use a recording with a skeleton "
            "or with positions"
        )
    try:
        pose = canonical_pose(recording)
    except MotionError as error:
        raise DataError(f"{recording.name}: {error}") from error
    try:
        with kineseg.Client(address) as client:
            result = client.segment(pose, model=model, latency_s=latency_s, frame_results=True)
            used = next(m.name for m in client.models() if not model or m.name == model)
    except kineseg.KinesegError as error:
        raise EvaluationError(f"{address}: the service refused or failed: {error}") from error
    embedded = [one for one in result.frame_results if one.frame < recording.n_frames]
    late = [decided - at for at, decided in zip(result.boundaries, result.decided_frames, strict=True)]
    delay = f"; boundaries certain {np.median(late) / recording.rate:.1f} s later (median)" if late else ""
    return scene_of(
        recording,
        result.labels(),
        np.array([one.embedding for one in embedded]),
        np.array([one.frame for one in embedded]),
        remark=f"by the service, as it streamed (model '{used}'){delay}",
        decided=tuple(zip(result.boundaries, result.decided_frames, strict=True)),
    )


def baseline_scene(run: Path, cmu: Path, *, oracle_split: bool = False, linkage: str = "single") -> Scene:
    """The scene of one result of `kineseg-train baseline take`.

    Args:
        run: Folder that it wrote.
        cmu: Folder of the CMU clips, with ``subject_86``.
        oracle_split: The result that used the true boundaries, or the one that did not.
        linkage: ``single`` or ``average``.

    Raises:
        DataError: There is no such result, or it is not of this take.
    """
    number, segmented = load_segmented(run)
    wanted = ORACLE_SPLIT if oracle_split else NO_ORACLE
    found = next((one for one in segmented if one.variant == wanted and one.linkage == linkage), None)
    if found is None:
        there = ", ".join(f"{one.variant.name} ({one.linkage})" for one in segmented)
        raise DataError(f"{run}: has no result '{wanted.name}' with {linkage} linkage; it has {there}")
    take = load_take(cmu, number)
    if len(found.labels) != take.recording.n_frames:
        raise DataError(
            f"{run}: was made of {len(found.labels)} frames of take {number}, which has {take.recording.n_frames}; "
            "make it again of the whole take"
        )
    given = "given the true boundaries and the number of actions" if oracle_split else "given the number of actions"
    return scene_of(
        take.recording,
        found.labels,
        found.states,
        found.frames,
        title=f"Subject 86, take {number}",
        remark=f"Su & Shlizerman, offline, {wanted.name}; {found.scores.mof:.0%} of frames right; {given}",
    )
