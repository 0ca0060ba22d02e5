"""Other people's detectors, and the model's surprise, on the same streams; their threshold is chosen afterwards."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from evaluation.alerts.peers import half_space_trees, left_matrix_profile, pca_error, robust_z, surprise
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Detector


@dataclass(frozen=True)
class Peer:
    """A method that raises no alerts of ours.

    Attributes:
        name: For tables.
        make: Begins to watch a stream.
        settings: What was chosen, in words.
        package: That has to be installed.
    """

    name: str
    make: Callable[[AlertStream], Detector]
    settings: str
    package: str


SURPRISE = "surprise"
_ROBUST = f"median and MAD of the last {robust_z.MEMORY_S:g} s, renewed every {robust_z.EVERY_S:g} s"

PEERS: tuple[Peer, ...] = (
    Peer(
        SURPRISE, surprise.Surprise,
        "the anomaly score of the packaged models, in this process", "kineseg_core",
    ),
    Peer(
        "robust z-score, largest", robust_z.LargestZ,
        f"largest over all channels and their changes, {_ROBUST}", "numpy",
    ),
    Peer(
        "robust z-score, all channels", robust_z.OverallZ,
        f"root mean square over all channels, no z-score above {robust_z.CLIP:g}, smoothed over {robust_z.SMOOTH_S:g} "
        f"s, {_ROBUST}", "numpy",
    ),
    Peer(
        "PCA error", pca_error.PcaError,
        f"components with {100 * pca_error.KEPT_SHARE:g} % of the variance of the last {pca_error.MEMORY_S:g} s, "
        f"renewed every {pca_error.EVERY_S:g} s", "numpy",
    ),
    Peer(
        "HalfSpaceTrees (river)", half_space_trees.Trees,
        f"River's own settings behind its MinMaxScaler, {half_space_trees.COMPONENTS} components", "river",
    ),
    Peer(
        "left matrix profile (stumpy)", left_matrix_profile.LeftMatrixProfile,
        f"STUMPI, not normalised, mean of {left_matrix_profile.COMPONENTS} components at "
        f"{left_matrix_profile.RATE_HZ:g} Hz, window {left_matrix_profile.WINDOW_S:g} s", "stumpy",
    ),
)  # fmt: skip


def installed() -> tuple[list[Peer], list[str]]:
    """The peers whose packages are there, and those left out, by name and reason."""
    there = [peer for peer in PEERS if importlib.util.find_spec(peer.package) is not None]
    return there, [f"{peer.name}: {peer.package} is not installed" for peer in PEERS if peer not in there]
