"""Other people's online detectors, and floors, on the same streams: boundaries by theirs, labels by one simple rule."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
from kineseg.motion import Recording

from evaluation.quality.peers import class_, drift, floss, ruptures_window, two_window_mmd
from evaluation.quality.peers.centroids import nearest_centroid
from evaluation.quality.peers.peer import Peer
from evaluation.quality.scores import Prediction
from evaluation.quality.stream import AnnotatedStream

Choice = Literal["none", "fast", "all"]
BLIND_S = 7.0


PEERS = (
    Peer(
        "two-window MMD", two_window_mmd.boundaries,
        f"on every channel and its speed at {two_window_mmd.RATE:g} Hz, {two_window_mmd.WINDOW_S:g} s against the "
        f"{two_window_mmd.WINDOW_S:g} s before, threshold {two_window_mmd.THRESHOLD:g}, the highest within "
        f"{two_window_mmd.APART_S:g} s (chosen on the takes among those that answer within 4.1 s); emitted "
        f"{two_window_mmd.WINDOW_S + two_window_mmd.APART_S:g} s after it",
        "numpy", fast=True,
    ),
    Peer(
        "KSWIN (river)", drift.kswin,
        f"on each of {drift.COMPONENTS} components at {drift.RATE:g} Hz, alpha {drift.KSWIN_ALPHA:g}, the last "
        f"{drift.KSWIN_RECENT_S:g} s against {drift.KSWIN_WINDOW_S:g} s, then silent for {drift.REFRACTORY_S:g} s",
        "river", fast=True,
    ),
    Peer(
        "Page-Hinkley (river)", drift.page_hinkley,
        f"on each of {drift.COMPONENTS} components at {drift.RATE:g} Hz, delta {drift.PAGE_HINKLEY_DELTA:g}, threshold "
        f"{drift.PAGE_HINKLEY_THRESHOLD:g}, then silent for {drift.REFRACTORY_S:g} s",
        "river", fast=True,
    ),
    Peer(
        "Window, rbf (ruptures)", ruptures_window.boundaries,
        f"on {ruptures_window.COMPONENTS} components at {ruptures_window.RATE:g} Hz, width {ruptures_window.WIDTH_S:g} "
        f"s, penalty {ruptures_window.PENALTY:g}, every {ruptures_window.STEP_S:g} s on the last "
        f"{ruptures_window.BUFFER_S:g} s; emitted "
        f"{ruptures_window.WIDTH_S / 2 + ruptures_window.SETTLED_S:g} s after it at best",
        "ruptures",
    ),
    Peer(
        "FLOSS (stumpy)", floss.boundaries,
        f"mean arcs of {floss.COMPONENTS} components at {floss.RATE:g} Hz, window {floss.WINDOW_S:g} s, buffer "
        f"{floss.BUFFER_S:g} s, minima below {floss.LOW:g} at least {floss.APART_S:g} s from the rim",
        "stumpy",
    ),
    Peer(
        "ClaSS (claspy)", class_.boundaries,
        f"first component at {class_.RATE:g} Hz, window {class_.WINDOW_S:g} s, p < {class_.P_MOTION:g}, last "
        f"{class_.SLIDING_S:g} s (its own estimate of the window and its default p find less); on series window one "
        f"period and its defaults",
        "claspy",
    ),
)  # fmt: skip


def chosen(choice: Choice) -> tuple[list[Peer], list[str]]:
    """The peers to run, and those left out because their package is not installed, by name."""
    wanted = [peer for peer in PEERS if choice == "all" or (choice == "fast" and peer.fast)]
    there = [peer for peer in wanted if importlib.util.find_spec(peer.package) is not None]
    return there, [f"{peer.name}: {peer.package} is not installed" for peer in wanted if peer not in there]


MMD = PEERS[0].name

_warm: set[str] = set()


def run(name: str, stream: AnnotatedStream) -> tuple[Prediction, float]:
    """What the peer of that name says about a stream, with the labels of `nearest_centroid`.

    Returns:
        That, and the CPU seconds that its boundaries took. What a package compiles when it is first used in a process
        is not counted.
    """
    peer = next(peer for peer in PEERS if peer.name == name)
    if name not in _warm:
        peer.boundaries(_noise())
        _warm.add(name)
    before = time.process_time()
    pairs = peer.boundaries(stream)
    return labelled(stream, pairs), time.process_time() - before


def _noise() -> AnnotatedStream:
    """Thirty periods of nothing."""
    values = np.random.default_rng(0).standard_normal((300, 1))
    return AnnotatedStream("", "noise", Recording(values, 10.0, ("value",)), np.empty((0, 3)), None)


def labelled(stream: AnnotatedStream, pairs: Sequence[tuple[int, int]]) -> Prediction:
    """Boundaries with the labels of `nearest_centroid`."""
    found = Prediction.of(pairs, stream.n_frames)
    return Prediction(found.boundaries, found.emitted, nearest_centroid(stream, found.boundaries.tolist()))


def one_label(stream: AnnotatedStream) -> Prediction:
    """Nothing ever changes."""
    labels = None if stream.labels is None else np.zeros(stream.n_frames, dtype=np.int64)
    return Prediction.of([], stream.n_frames, labels)


def blind(stream: AnnotatedStream) -> Prediction:
    """A boundary every `BLIND_S` seconds, emitted at once."""
    cuts = np.arange(BLIND_S * stream.rate, stream.n_frames, BLIND_S * stream.rate).round().astype(int).tolist()
    return labelled(stream, [(cut, cut) for cut in cuts])


def true_boundaries(stream: AnnotatedStream) -> Prediction:
    """The truth's boundaries, emitted at once: what the labels of `nearest_centroid` are worth."""
    cuts = stream.truth[:, 1].astype(int).tolist()
    return labelled(stream, [(cut, cut) for cut in cuts])
