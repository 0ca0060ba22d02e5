"""Faults change what they say they change, where they say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import Recording, canonical_pose, generate
from kineseg_training.data.faults import BODY_FAULTS, CHANNEL_FAULTS, fault_kinds, with_fault
from kineseg_training.errors import DataError, SettingsError

TAKE = generate(seed=5, duration_s=20.0, rate=60.0)
BODY_KINDS = [each.name for each in BODY_FAULTS]
CHANNEL_KINDS = [each.name for each in CHANNEL_FAULTS]
UNCHANGED_IN_REST = ("frozen", "stalled", "looped", "late", "limb_late", "lag")


def sensors(channels: tuple[str, ...] = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")) -> Recording:
    rng = np.random.default_rng(3)
    return Recording(np.cumsum(rng.standard_normal((1000, len(channels))), axis=0), 50.0, channels)


SENSORS = sensors()


@pytest.mark.parametrize("kind", [name for name in BODY_KINDS if name != "gap"])
@settings(max_examples=8)
@given(start_s=st.floats(0.0, 11.9), seed=st.integers(0, 1000))
def test_only_the_fault_s_frames_and_joints_change(kind: str, start_s: float, seed: int) -> None:
    faulty = with_fault(TAKE, kind, start_s, seed)
    (fault,) = faulty.faults
    assert fault.kind == kind
    assert faulty.synthetic
    assert abs(fault.start / TAKE.rate - start_s) <= 1 / TAKE.rate + 1e-9
    assert faulty.positions is not None
    assert TAKE.positions is not None
    changed = ~np.isclose(faulty.positions, TAKE.positions, equal_nan=True).all(axis=2)
    outside = np.ones(len(changed), dtype=bool)
    outside[fault.start : fault.stop] = False
    assert not changed[outside].any()
    assert changed[~outside].any() or kind in UNCHANGED_IN_REST  # who stands still cannot freeze
    others = [at for at, joint in enumerate(faulty.joints) if joint not in fault.joints]
    assert not changed[:, others].any()


@pytest.mark.parametrize("kind", [name for name in CHANNEL_KINDS if name != "gap"])
@settings(max_examples=8)
@given(start_s=st.floats(1.0, 13.9), seed=st.integers(0, 1000))
def test_only_the_fault_s_frames_and_channels_change(kind: str, start_s: float, seed: int) -> None:
    faulty = with_fault(SENSORS, kind, start_s, seed)
    (fault,) = faulty.faults
    assert (fault.kind, faulty.synthetic) == (kind, True)
    changed = ~np.isclose(faulty.frames, SENSORS.frames, equal_nan=True)
    outside = np.ones(len(changed), dtype=bool)
    outside[fault.start : fault.stop] = False
    assert not changed[outside].any()
    assert changed[~outside].any()
    others = [at for at, channel in enumerate(faulty.channels) if channel not in fault.joints]
    assert not changed[:, others].any()


@pytest.mark.parametrize(
    ("recording", "kind"),
    [(TAKE, kind) for kind in BODY_KINDS] + [(SENSORS, kind) for kind in CHANNEL_KINDS],
    ids=[f"body-{kind}" for kind in BODY_KINDS] + [f"channels-{kind}" for kind in CHANNEL_KINDS],
)
def test_equal_seeds_are_equal_and_the_interval_is_as_long_as_its_kind_says(recording: Recording, kind: str) -> None:
    one, two = (with_fault(recording, kind, 6.0, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.frames, two.frames)
    (fault,) = one.faults
    (said,) = (each for each in fault_kinds(recording) if each.name == kind)
    lasts = (fault.stop - fault.start + fault.missing) / recording.rate
    assert abs(lasts - said.duration_s) <= 1 / recording.rate
    np.testing.assert_array_equal(one.frames[: fault.start], recording.frames[: fault.start])


@pytest.mark.parametrize("kind", BODY_KINDS)
def test_the_service_s_pose_can_be_made_of_a_body_with_any_fault(kind: str) -> None:
    pose = np.asarray(canonical_pose(with_fault(TAKE, kind, 6.0, seed=4)).frames)
    assert np.isnan(pose).any() == (kind == "occluded")


@pytest.mark.parametrize("kind", [each.name for each in BODY_FAULTS if each.grows])
def test_what_grows_is_worst_at_its_end(kind: str) -> None:
    faulty = with_fault(TAKE, kind, 5.0, seed=1)
    assert faulty.positions is not None
    assert TAKE.positions is not None
    (fault,) = faulty.faults
    away = np.linalg.norm(faulty.positions - TAKE.positions, axis=2).max(axis=1)[fault.start : fault.stop]
    assert away[:60].max() < 0.3 * away.max()
    assert away[-60:].max() > 0.9 * away.max()


def test_some_faults_are_what_their_names_say() -> None:
    assert TAKE.positions is not None
    at = slice(360, 420)  # a second from 6 s
    looped, smaller, late, flipped = (
        np.asarray(with_fault(TAKE, kind, 6.0, seed=2).positions)
        for kind in ("looped", "unit", "limb_late", "axis_flip")
    )
    np.testing.assert_array_equal(looped[at], TAKE.positions[300:360])
    np.testing.assert_allclose(smaller[at], TAKE.positions[at] / 1000)
    moved = (late != TAKE.positions).any(axis=(0, 2))
    sides = {name.split("_")[0] for name, has in zip(TAKE.joints, moved, strict=True) if has}
    assert len(sides) == 1
    assert moved.sum() >= 2
    np.testing.assert_allclose(np.abs(flipped), np.abs(TAKE.positions))
    np.testing.assert_array_equal(flipped[..., 1], TAKE.positions[..., 1])  # upright all the same


def test_another_unit_is_that_of_one_sensor() -> None:
    (fault,) = with_fault(SENSORS, "unit", 6.0, seed=0).faults
    assert set(fault.joints) in ({"acc_x", "acc_y", "acc_z"}, {"gyro_x", "gyro_y", "gyro_z"})
    (alone,) = with_fault(sensors(("flow", "pressure")), "unit", 6.0, seed=0).faults
    assert len(alone.joints) == 1


def test_wrong_use_is_refused() -> None:
    with pytest.raises(SettingsError, match="there is no fault 'flood' of bodies; there are gap"):
        with_fault(TAKE, "flood", 1.0, 0)
    with pytest.raises(SettingsError, match="there is no fault 'swapped' of channels; there are gap"):
        with_fault(SENSORS, "swapped", 1.0, 0)
    with pytest.raises(DataError, match="does not fit"):
        with_fault(TAKE, "drift", 17.0, 0)
