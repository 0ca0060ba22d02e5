"""From frames to severities in one kernel: rules, values, how far beyond the usual, how rare that is.

Chunks of many streams go through at once. A chunk stops where something is to be decided: a rule holds, a severity
reaches the bar, or the newest row is one that the rules on rows must look at.

It lets other threads run meanwhile: of some hundred chunks at once it takes milliseconds, in which what steps the
streams would wait for the interpreter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.budget import level_of
from kineseg_core.anomalies.diagnosis.body_rules import may_be_changed as body_may_be_changed
from kineseg_core.anomalies.diagnosis.channel_rules import may_be_changed as channels_may_be_changed
from kineseg_core.anomalies.rules.book import RuleBook, apply_rules, new_book
from kineseg_core.anomalies.score.envelope import EVERY_S, Envelope, beyond, learn, new_envelope, renew
from kineseg_core.anomalies.score.masks import Masks, mask, new_masks
from kineseg_core.anomalies.score.priors import group_of
from kineseg_core.anomalies.score.recent import Recent, keep, new_recent
from kineseg_core.anomalies.score.tails import Tails, learn_and_judge, new_tails
from kineseg_core.anomalies.signs import RULE_SEVERITY
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import take_body
from kineseg_core.anomalies.values.channels import take_channels
from kineseg_core.anomalies.values.layout import ValueLayout
from kineseg_core.kernels import kernel
from kineseg_core.memory.moved import moved

F64 = NDArray[np.float64]

_SETTLED_S = 0.5
_RENEWED_S = 1.0
_CALM_AT_LAST_S = 120.0

CLOCK = np.dtype(
    [
        ("time_s", np.float64),
        ("interval_s", np.float64),
        ("row_s", np.float64),
        ("first_s", np.float64),
        ("seconds", np.float64),
        ("highest", np.float64),
        ("learns_after_s", np.float64),
        ("bar", np.float64, (4,)),
        ("frames", np.int64),
        ("rows", np.int64),
        ("masked_until", np.int64),
        ("group", np.int64),
        ("new_row", np.bool_),
        ("gap", np.bool_),
        ("lost", np.bool_),
        ("is_warm", np.bool_),
        ("found", np.bool_),
        ("busy", np.bool_),
    ]
)
"""Capture time of the newest frame, and time since the one before (below 0: it is the first); time of the newest row;
seconds of rows, and how many of them there must be before anything is judged; the highest severity of the newest row;
what comes after which may become what is usual; numbers of an `AlarmBar`;
frames and rows so far; the row until which values may be masked; index of the group of priors (-1: not yet known);
whether the newest frame has made a row; whether there were a gap or lost units since the newest row; whether all
detectors are warm; whether a rule holds in the newest frame; whether anomalies go on."""


class StreamState(NamedTuple):
    """What a stream has taught, whatever it is of. D detectors, N values, U units.

    Attributes:
        clock: ``(1,)`` of `CLOCK`.
        book: Of the rules.
        lost: ``(U,)`` units lost since the newest row.
        masks, envelope, tails, recent: See there.
        y: ``(D,)`` of the newest row: log of the largest value over its limit.
        top: ``(D,)`` which value that is.
        severities: ``(D,)`` nats; -inf: not yet watched.
        warm: ``(D,)`` which detectors watch.
        warm_s: ``(D,)`` how long the stream must have been watched before each does.
    """

    clock: NDArray[np.void]
    book: RuleBook
    lost: NDArray[np.bool_]
    masks: Masks
    envelope: Envelope
    tails: Tails
    recent: Recent
    y: F64
    top: NDArray[np.int64]
    severities: F64
    warm: NDArray[np.bool_]
    warm_s: F64


class StreamConstants(NamedTuple):
    """What a stream is.

    Attributes:
        rate, row_rate: Frames and rows a second.
        kept: Share of what tails have learnt that is kept from one row to the next.
        root: The joint that all others are seen from; -1: channels.
        first_bone, end_bone: Values of bones; the same: there are none.
    """

    rate: float
    row_rate: float
    kept: float
    root: int
    first_bone: int
    end_bone: int


def new_state(
    source: WatchedSource, layout: ValueLayout, row_rate_hz: float, warm_s: F64, first_s: float
) -> StreamState:
    """Nothing has been seen yet."""
    units, values, detectors = len(source.names), len(layout), len(layout.detectors)
    clock = np.zeros(1, CLOCK)
    clock["first_s"], clock["highest"], clock["group"] = first_s, -np.inf, -1
    clock["learns_after_s"] = -np.inf
    return StreamState(
        clock=clock,
        book=new_book(source),
        lost=np.zeros(units, bool),
        masks=new_masks(units, values),
        envelope=new_envelope(values),
        tails=new_tails(detectors),
        recent=new_recent(units, source.numbers, detectors, row_rate_hz),
        y=np.full(detectors, -np.inf),
        top=np.zeros(detectors, np.int64),
        severities=np.full(detectors, -np.inf),
        warm=np.zeros(detectors, bool),
        warm_s=warm_s,
    )


@kernel(nogil=True)
def watch_bodies(kind, jobs, frames, times_s, severities):  # type: ignore[no-untyped-def]
    """Takes frames of many bodies of a kind, of each until there is something to decide; none knows of the others.

    Args:
        kind: See `KindHandle`.
        jobs: ``(N, 4)`` int64, a row a stream: how many bytes its memory is from that of the kind, its next frame, and
            the frame behind its last one. Written: which is its next frame now, and whether there is something to
            decide with the one before; the next is -1, and none has been taken, where a time is not finite.
        frames: ``(n, J, 3)`` float64; NaN: lost.
        times_s: ``(n,)`` capture times.
        severities: ``(n,)`` written: of each frame, nats.

    Returns:
        For how many streams not all has been taken, or there is something to decide.
    """
    states, bodies, bits = kind.state, kind.values, frames.view(np.int64)
    constants, body_constants, layout, priors = kind.constants, kind.value_constants, kind.layout, kind.priors
    due = 0
    for job in range(len(jobs)):
        due += _watch_body(
            states, bodies, constants, body_constants, layout, priors, jobs[job], frames, bits, times_s, severities
        )
    return due


@kernel(nogil=True)
def watch_channels(kind, jobs, frames, times_s, severities):  # type: ignore[no-untyped-def]
    """Takes frames ``(n, C, 1)`` of many streams of channels, see `watch_bodies`."""
    states, channels, bits = kind.state, kind.values, frames.view(np.int64)
    constants, channel_constants, layout, priors = kind.constants, kind.value_constants, kind.layout, kind.priors
    due = 0
    for job in range(len(jobs)):
        due += _watch_channels(
            states, channels, constants, channel_constants, layout, priors, jobs[job], frames, bits, times_s, severities
        )
    return due


@kernel(inlined=True)
def _watch_body(  # type: ignore[no-untyped-def]
    states, bodies, constants, body_constants, layout, priors, job, frames, bits, times_s, severities
):
    first, end = job[1], job[2]
    if not _are_finite(times_s, first, end):
        job[1] = -1
        return 1
    state, body = moved(states, job[0]), moved(bodies, job[0])
    clock = state.clock
    for i in range(first, end):
        was_found = clock[0].found
        found = _before_values(state, constants, frames[i], bits[i], times_s[i])
        looked_at = False
        if take_body(state.book.before, body, body_constants):
            _judge(state, constants, body.row, body.least, layout, priors)
            looked_at = body_may_be_changed(body, body_constants)
        ends = clock[0].busy and (clock[0].new_row or was_found)
        if _is_found(clock, found, severities, i) or looked_at or ends:
            job[1], job[3] = i + 1, 1
            return 1
    job[1], job[3] = end, 0
    return 0


@kernel(inlined=True)
def _watch_channels(  # type: ignore[no-untyped-def]
    states, values, constants, channel_constants, layout, priors, job, frames, bits, times_s, severities
):
    first, end = job[1], job[2]
    if not _are_finite(times_s, first, end):
        job[1] = -1
        return 1
    state, channels = moved(states, job[0]), moved(values, job[0])
    clock = state.clock
    for i in range(first, end):
        was_found = clock[0].found
        found = _before_values(state, constants, frames[i], bits[i], times_s[i])
        looked_at = False
        if take_channels(state.book.before, channels, channel_constants, state.envelope.limit):
            _judge(state, constants, channels.row, channels.least, layout, priors)
            looked_at = channels_may_be_changed(channels, channel_constants, state.envelope.quantile)
        ends = clock[0].busy and (clock[0].new_row or was_found)
        if _is_found(clock, found, severities, i) or looked_at or ends:
            job[1], job[3] = i + 1, 1
            return 1
    job[1], job[3] = end, 0
    return 0


@kernel(inlined=True)
def _are_finite(times_s, first, end):  # type: ignore[no-untyped-def]
    finite = True
    for i in range(first, end):
        finite &= math.isfinite(times_s[i])
    return finite


@kernel(inlined=True)
def _before_values(state, constants, frame, bits, time_s):  # type: ignore[no-untyped-def]
    """The clock, and the rules. Returns how much these found."""
    clock, book = state.clock, state.book
    if clock[0].frames:
        clock[0].interval_s = max(0.0, time_s - clock[0].time_s)
        clock[0].time_s = max(clock[0].time_s, time_s)
    else:
        clock[0].interval_s = -1.0
        clock[0].time_s = time_s
    clock[0].frames += 1
    clock[0].new_row = False
    n_lost, found = apply_rules(book, frame, bits, clock[0].interval_s, constants.root, constants.rate)
    if n_lost:
        clock[0].lost = True
        for unit in range(len(state.lost)):
            state.lost[unit] |= book.lost[unit]
    if book.found[0]:
        clock[0].gap = True
    clock[0].found = found > 0
    return found


@kernel(inlined=True)
def _judge(state, constants, row, least, layout, priors):  # type: ignore[no-untyped-def]
    """Takes a row of values."""
    clock, envelope, rate = state.clock, state.envelope, constants.row_rate
    if clock[0].gap or clock[0].lost or clock[0].rows < clock[0].masked_until:
        _mask(state, constants, layout)
    clock[0].new_row = True
    clock[0].row_s = clock[0].time_s
    clock[0].seconds += 1.0 / rate
    clock[0].rows += 1
    beyond(row, envelope, layout, state.masks.values, state.y, state.top)
    if clock[0].rows > round(_SETTLED_S * rate):
        if clock[0].rows % max(1, round(EVERY_S * rate)) == 0:
            if clock[0].time_s > clock[0].learns_after_s:
                learn(envelope)
            else:
                envelope.largest[:] = 0.0
        if clock[0].rows % max(1, round(_RENEWED_S * rate)) == 0 and envelope.seconds[0] > 0:
            renew(envelope, layout, least)
    if clock[0].seconds >= clock[0].first_s:
        _rate(state, constants, layout, priors)
    keep(state.recent, clock[0].time_s, state.book.before, state.severities, state.top)


@kernel()
def _mask(state, constants, layout):  # type: ignore[no-untyped-def]
    """Looks which values say nothing now; that no unit is lost any more shows a second later at most."""
    clock = state.clock
    if clock[0].gap or clock[0].lost:
        clock[0].masked_until = clock[0].rows + round(constants.row_rate) + 1
    mask(state.masks, state.lost, clock[0].gap, constants.root, constants.row_rate, layout.unit, layout.other)
    state.lost[:] = False
    clock[0].gap = clock[0].lost = False


@kernel(inlined=True)
def _rate(state, constants, layout, priors):  # type: ignore[no-untyped-def]
    """How rare the newest row is."""
    clock, y = state.clock, state.y
    if clock[0].group < 0:
        clock[0].group = group_of(state.envelope.quantile[constants.first_bone : constants.end_bone])
    prior = priors[clock[0].group]
    if not clock[0].is_warm:
        # What is beyond the usual just then has been so before: it is the usual that is not known yet.
        warm = 0
        for d in range(len(y)):
            calm = y[d] < prior[d].level or clock[0].seconds >= state.warm_s[d] + _CALM_AT_LAST_S
            state.warm[d] |= calm and clock[0].seconds >= state.warm_s[d]
            warm += state.warm[d]
        clock[0].is_warm = warm == len(y)
    clock[0].highest = learn_and_judge(
        y, 1.0 / constants.row_rate, constants.kept, prior, state.tails, layout, state.warm, state.severities
    )


@kernel(inlined=True)
def _is_found(clock, found, severities, i):  # type: ignore[no-untyped-def]
    """Writes the severity of a frame; whether a rule holds in it, or it reaches the bar."""
    highest = clock[0].highest
    severities[i] = RULE_SEVERITY if found else highest
    return found > 0 or (highest > -math.inf and highest >= level_of(clock[0].bar, clock[0].time_s))
