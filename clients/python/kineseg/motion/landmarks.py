"""Arrays of landmarks without names, as MediaPipe's users and FreeMoCap save them: known by their shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MEDIAPIPE_POSE: tuple[str, ...] = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right",
    *(f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
      for side in ("left", "right")),
    *(f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "heel", "foot_index") for side in ("left", "right")),
)  # fmt: skip
"""MediaPipe Pose's 33 landmarks, in its order."""

# FreeMoCap's arrays: the body, then 21 points of each hand, then 478 of the face.
_FREEMOCAP = (33 + 2 * 21, 33 + 2 * 21 + 478)
_SEEN = 0.5  # of visibility


def landmarks_of(points: Array) -> tuple[Array, tuple[str, ...], str] | None:
    """The body in an array of landmarks, if that is what it is by its shape.

    Args:
        points: ``(T, J, 3)``, or ``(T, 33, 4)`` or ``(T, 33, 5)`` with visibility, and presence, after x, y and z.

    Returns:
        Positions ``(T, 33, 3)``, NaN where a landmark is not visible; their names; a note. None: it is something else.
    """
    count = len(MEDIAPIPE_POSE)
    if points.ndim != 3 or points.shape[1] not in (count, *_FREEMOCAP) or points.shape[2] not in (3, 4, 5):
        return None
    if points.shape[2] > 3 and (points.shape[1] != count or not _are_shares(points[..., 3])):
        return None
    body = points[:, :count, :3].copy()
    if points.shape[2] > 3:
        body[points[..., 3] < _SEEN] = np.nan
    note = f"{points.shape[1]} points without names: read as MediaPipe's landmarks"
    if points.shape[1] > count:
        note += ", as FreeMoCap saves them; hands and face are left out"
    if points.shape[2] > 3:
        note += f", missing where their visibility is below {_SEEN:g}"
    return body, MEDIAPIPE_POSE, note


def _are_shares(values: Array) -> bool:
    known = values[np.isfinite(values)]
    return bool(known.size) and bool(((known >= 0.0) & (known <= 1.0)).all())
