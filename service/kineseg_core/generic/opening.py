"""What the built-in model gives a new stream: a plan, and how it is segmented."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_core.boundary_network import OperatingPoint, ViewPlan
from kineseg_core.errors import InvalidRequest, WrongChannels
from kineseg_core.generic.model import LOG_SURPRISE_MEDIAN, LOG_SURPRISE_SCALE, MOST_CHANNELS, SCRATCH
from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.plan import ScratchPlan
from kineseg_core.segmenter import SegmenterPlan, SegmenterSettings

_LONGEST_NAME = 200


def scratch_plan(channels: Sequence[str], rate_hz: float) -> ScratchPlan:
    """The plan for a stream of these channels.

    Raises:
        WrongChannels: There are none or too many.
        InvalidRequest: Names are missing, endless or used twice.
    """
    field = "channels"
    if not 1 <= len(channels) <= MOST_CHANNELS:
        what = "none are given" if not channels else f"there are {len(channels)}"
        raise WrongChannels(
            f"model {SCRATCH!r} takes the channels that the stream names, 1 to {MOST_CHANNELS}; {what}",
            field=field, minimum=1, maximum=MOST_CHANNELS,
        )  # fmt: skip
    if not all(0 < len(name) <= _LONGEST_NAME for name in channels):
        raise InvalidRequest(f"every channel needs a name of at most {_LONGEST_NAME} characters", field=field)
    if len(set(channels)) != len(channels):
        twice = next(name for at, name in enumerate(channels) if name in channels[:at])
        raise InvalidRequest(f"channel names must be unique; {twice[:64]!r} is there twice", field=field)
    return ScratchPlan.of(len(channels), rate_hz)


def scratch_segmenter(
    plan: ScratchPlan, point: OperatingPoint, latency_s: float, delay_s: float
) -> SegmenterPlan | PatternPlan:
    """How it is decided on what the model gives."""
    settings = SegmenterSettings(log_surprise_median=LOG_SURPRISE_MEDIAN, log_surprise_scale=LOG_SURPRISE_SCALE)
    if plan.few:
        return PatternPlan(settings, plan.dims, plan.rate_hz, latency_s, delay_s)
    views = ViewPlan.of_signal(plan.channels, 0, plan.rate_hz)
    return SegmenterPlan(settings, views, point, latency_s, delay_s)
