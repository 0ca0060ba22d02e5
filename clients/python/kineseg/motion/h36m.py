"""Reads the exponential-map text release of Human3.6M: 99 comma-separated columns a frame, 50 frames a second.

Root translation, then 32 joints of three numbers. The first six columns, translation and rotation of the root, are
changes since the frame before, seen from the root; all other rotations are absolute.

C. Ionescu, D. Papava, V. Olaru and C. Sminchisescu, "Human3.6M: Large scale datasets and predictive methods for 3D
human sensing in natural environments", 2014. The text release goes with A. Jain et al., "Structural-RNN", 2016. The
data may not be passed on, so that this reader was made from published descriptions and tested on files in that layout,
not on the data itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion.errors import RecordingError
from kineseg.motion.h36m_skeleton import H36M_SKELETON
from kineseg.motion.kinematics import forward_kinematics, matrices_from_expmap
from kineseg.motion.recording import Recording, check_rate
from kineseg.motion.source_file import SourceFile

H36M_RATE = 50.0
H36M_COLUMNS = 3 + 3 * H36M_SKELETON.n_joints
# They close a bone and have no angles of their own.
_END_JOINTS = tuple(j for j in range(H36M_SKELETON.n_joints) if j not in H36M_SKELETON.parents)
H36M_CHANNELS = (
    *(f"{H36M_SKELETON.names[0]}.t{axis}" for axis in "xyz"),
    *(f"{name}.r{axis}" for name in H36M_SKELETON.names for axis in "xyz"),
)


def h36m_positions(frames: ArrayLike) -> NDArray[np.float64]:
    """Joint positions from Human3.6M channels.

    Args:
        frames: ``(T, 99)``, every frame of the file: the root's way is the sum of its changes.

    Returns:
        ``(T, 32, 3)`` positions in millimetres, y up, seen from where the root was before the first frame.

    Raises:
        RecordingError: Another number of columns.
    """
    values = np.asarray(frames, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != H36M_COLUMNS:
        raise RecordingError(
            f"Human3.6M frames must have shape (frames, {H36M_COLUMNS}), got {values.shape}", field="frames"
        )
    # The release stores maps of inverse rotations: they were made for row vectors.
    rotations = matrices_from_expmap(-values[:, 3:].reshape(len(values), -1, 3))
    at, turned = np.zeros(3), np.eye(3)
    way = np.empty((len(values), 3))
    for t, step in enumerate(values[:, :3]):
        at = at + turned @ step
        turned = turned @ rotations[t, 0]
        way[t], rotations[t, 0] = at, turned
    return forward_kinematics(H36M_SKELETON, rotations, way)


def could_be_h36m(frames: NDArray[np.float64]) -> bool:
    """Whether values of 99 columns can be this layout: end joints never turn, and angles are angles."""
    if frames.ndim != 2 or frames.shape[1] != H36M_COLUMNS or not np.isfinite(frames).all():
        return False
    maps = frames[:, 3:].reshape(len(frames), -1, 3)
    return not maps[:, list(_END_JOINTS)].any() and bool(np.abs(maps).max() <= 2.0 * np.pi)


def from_h36m(
    source: SourceFile, frames: NDArray[np.float64], rate: float | None, notes: tuple[str, ...] = ()
) -> Recording:
    """A recording of the 99-column text layout.

    Args:
        source: Where it is from.
        frames: ``(T, 99)``.
        rate: Frames per second; 50 unless given.
        notes: What was assumed.
    """
    return Recording(
        frames=frames,
        rate=check_rate(H36M_RATE if rate is None else rate),
        channels=H36M_CHANNELS,
        skeleton=H36M_SKELETON,
        positions=h36m_positions(frames),
        name=source.name,
        notes=notes,
    )
