"""Makes synthetic recordings: a made-up person doing a made-up sequence of actions. None of it was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.annotation import Annotation
from kineseg.motion.arguments import check_number, check_whole
from kineseg.motion.joint_mapping import CANONICAL_JOINTS
from kineseg.motion.kinematics import forward_kinematics
from kineseg.motion.recording import Recording
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.synthetic.actions import ACTIONS
from kineseg.motion.synthetic.body import ANKLE_DEPTH, SOLE, draw_skeleton
from kineseg.motion.synthetic.curves import Drift, smooth_step
from kineseg.motion.synthetic.plan import PlannedSegment, plan_segments
from kineseg.motion.synthetic.posture import ANGLE_COLUMNS, COLUMN, ENTRIES, joint_rotations, posture_array

Array = NDArray[np.float64]

# Motion is made at this rate and then sampled, so that every frame rate sees the same motion.
_INNER_RATE = 240.0
_RATES = (0.1, 10_000.0)
_MOST_NOISE_M = 10.0
_MOST_VARIATION = 5.0
_SWAY = 0.012  # radians, of every joint, slow
_CONTACT = 0.015  # metres above the lowest sole within which a foot shares in carrying the body
_SMOOTHING_S = 0.04  # of the body's travel, where one foot takes over from the other


def generate(
    seed: int = 0,
    duration_s: float = 60.0,
    rate: float = 120.0,
    *,
    actions: Sequence[str] | None = None,
    n_segments: int | None = None,
    min_segment_s: float = 4.0,
    max_segment_s: float = 9.0,
    noise: float = 0.002,
    body_variation: float = 1.0,
) -> Recording:
    """A synthetic recording: invented motion with known segments.

    A person, whose proportions the seed decides, performs actions from a pool, some of them again later, each time in
    another tempo and size, and passes from one to the next within 0.3 to 0.5 s. The truth puts each boundary at the
    middle of that passage. The same seed gives the same motion at every frame rate (with ``noise=0``, the same
    positions at the same times).

    Args:
        seed: Decides everything random.
        duration_s: Length in seconds, a day at most; not used when ``n_segments`` is given.
        rate: Frames per second, 0.1 to 10,000.
        actions: The pool; all of `ACTIONS` if None. Not an order: the seed decides that.
        n_segments: Number of segments, instead of a duration; 10,000 at most.
        min_segment_s: Shortest segment, seconds (a whole recording shorter than that is one segment).
        max_segment_s: Longest segment, seconds.
        noise: Standard deviation of the sensor noise on every coordinate, metres, 0 to 10.
        body_variation: How much people differ: 1 as usual, 0 not at all, 5 at most.

    Returns:
        A recording with ``synthetic=True``, y up, in metres: channels ``<joint>.x|y|z`` of the 19 canonical joints,
        the same as positions, the skeleton, and the truth.

    Raises:
        RecordingError: An unknown action, or a number that cannot be; `field` names it.
    """
    check_number("rate", rate, *_RATES, "frames per second")
    check_whole("seed", seed, 0)
    check_number("noise", noise, 0.0, _MOST_NOISE_M, "metres")
    check_number("body_variation", body_variation, 0.0, _MOST_VARIATION, "")
    rng = np.random.default_rng(seed)
    skeleton = draw_skeleton(rng, variation=body_variation)
    segments = plan_segments(
        rng,
        actions=tuple(ACTIONS) if actions is None else actions,
        duration_s=duration_s,
        n_segments=n_segments,
        min_segment_s=min_segment_s,
        max_segment_s=max_segment_s,
    )
    inner_times = np.arange(int(np.ceil(segments[-1].stop_s * _INNER_RATE)) + 2) / _INNER_RATE
    postures = _postures(rng, segments, inner_times)
    heading = np.cumsum(postures[:, COLUMN["turn_rate"]]) / _INNER_RATE
    root = _travel(skeleton, postures, heading)

    times = np.arange(max(1, round(segments[-1].stop_s * rate))) / rate
    sampled = _sample(np.column_stack([postures, heading, root]), inner_times, times)
    width = len(ENTRIES)
    rotations = joint_rotations(sampled[:, :width], sampled[:, width])
    positions = forward_kinematics(skeleton, rotations, sampled[:, width + 1 :])
    positions += noise * rng.standard_normal(positions.shape)
    return Recording(
        frames=positions.reshape(len(positions), -1),
        rate=rate,
        channels=tuple(f"{joint}.{axis}" for joint in CANONICAL_JOINTS for axis in "xyz"),
        skeleton=skeleton,
        positions=positions,
        name=f"synthetic-{seed}",
        synthetic=True,
        truth=_truth(segments, rate, len(times)),
    )


def _postures(rng: np.random.Generator, segments: Sequence[PlannedSegment], times: Array) -> Array:
    """``(T, len(ENTRIES))``: every action in its time, one fading into the next, over a slow sway of all joints."""
    side = "left" if rng.uniform() < 0.3 else "right"
    total = np.zeros((len(times), len(ENTRIES)))
    cycle = 2.0 * np.pi
    for i, segment in enumerate(segments):
        before = segment.blend_s / 2
        after = segments[i + 1].blend_s / 2 if i + 1 < len(segments) else np.inf
        inside = (times > segment.start_s - before) & (times < segment.stop_s + after)
        local = times[inside] - segment.start_s
        new, old = _perform(rng, segment, local, side), total[inside]
        weight = np.ones(len(local))
        if i:
            weight = smooth_step((local + before) / segment.blend_s)
            # Arms that went round come back the short way: whole turns between the two postures do not count.
            middle = int(np.searchsorted(local, 0.0))
            turns = np.round((new[middle] - old[middle]) / cycle)
            new[:, ANGLE_COLUMNS] -= cycle * turns[list(ANGLE_COLUMNS)]
        total[inside] = old + weight[:, None] * (new - old)
    sway = Drift(rng, len(ANGLE_COLUMNS), (2.0, 7.0))
    total[:, ANGLE_COLUMNS] += _SWAY * sway.at(times)
    return total


def _perform(rng: np.random.Generator, segment: PlannedSegment, local: Array, side: str) -> Array:
    """The postures of one segment at its local times, with tempo and size wandering as they do in people."""
    action = ACTIONS[segment.action]
    wander = Drift(rng, 2, (2.5, 8.0))
    tempo = action.tempo_hz * segment.tempo
    phase = segment.first_phase + tempo * (local + 0.06 * wander.integral(local)[:, 0])
    size = segment.size * (1.0 + 0.05 * wander.at(local)[:, 1])
    out = posture_array(action.posture(phase, size, side), len(local))
    out[:, COLUMN["speed"]] *= segment.tempo
    if segment.action in ("walk", "run"):
        out[:, COLUMN["turn_rate"]] += segment.curve
    return out


def _travel(skeleton: Skeleton, postures: Array, heading: Array) -> Array:
    """``(T, 3)`` path of the hips: the lowest sole rests on the floor, and what rests on the floor does not slide."""
    rotations = joint_rotations(postures, heading)
    body = forward_kinematics(skeleton, rotations, np.zeros((len(postures), 3)))
    scale = -skeleton.rest_positions()[skeleton.index("left_ankle"), 1] / ANKLE_DEPTH
    points = [(f"{side}_{joint}", SOLE[joint] * scale) for side in ("left", "right") for joint in ("ankle", "toe")]
    contacts = body[:, skeleton.indices([name for name, _ in points])]
    heights = contacts[..., 1] - np.array([sole for _, sole in points])
    lowest = heights.min(axis=1)
    share = np.exp(-(heights - lowest[:, None]) / _CONTACT)
    share /= share.sum(axis=1, keepdims=True)
    drift = np.gradient(contacts[..., [0, 2]], 1.0 / _INNER_RATE, axis=0)
    carried = -(share[..., None] * drift).sum(axis=1)
    forward = np.column_stack([np.sin(heading), np.cos(heading)])
    glide = postures[:, COLUMN["glide"], None]
    velocity = (1.0 - glide) * carried + glide * forward * postures[:, COLUMN["speed"], None]
    velocity = _smooth(velocity)
    path = np.zeros((len(postures), 3))
    path[1:, [0, 2]] = np.cumsum((velocity[1:] + velocity[:-1]) / 2.0, axis=0) / _INNER_RATE
    path[:, 1] = _smooth(-lowest[:, None])[:, 0] + postures[:, COLUMN["lift"]]
    return path


def _smooth(values: Array) -> Array:
    """Gaussian average over a few hundredths of a second."""
    reach = int(3 * _SMOOTHING_S * _INNER_RATE)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (_SMOOTHING_S * _INNER_RATE)) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.column_stack([np.convolve(column, kernel, mode="valid") for column in padded.T])


def _sample(values: Array, inner_times: Array, times: Array) -> Array:
    return np.column_stack([np.interp(times, inner_times, column) for column in values.T])


def _truth(segments: Sequence[PlannedSegment], rate: float, n_frames: int) -> Annotation:
    starts = [min(round(segment.start_s * rate), n_frames - 1) for segment in segments]
    tolerance = [
        (max(0, round((s.start_s - s.blend_s / 2) * rate)), round((s.start_s + s.blend_s / 2) * rate)) for s in segments
    ]
    return Annotation.from_names(starts, [segment.action for segment in segments], tolerance)
