"""What follows from a block of a row, see `kineseg_core.generic.pattern_boundaries`, as kernels."""

from __future__ import annotations

from kineseg_core.generic.table.neighbours import Links, forget, link, put_block
from kineseg_core.generic.table.rests import NONE, note_rest
from kineseg_core.generic.table.scan import scan
from kineseg_core.kernels import kernel
from kineseg_core.segmenter.table.quantile import running_median


@kernel(nogil=True)
def take_block(columns, settings, shares, row, block):  # type: ignore[no-untyped-def]
    """Takes the next block of a row.

    Args:
        columns: See `PatternColumns`.
        settings: See `PatternSettings`.
        shares: See `ties`.
        row: Of the stream.
        block: ``(E,)``

    Returns:
        A boundary that is decided now, or `NONE`.
    """
    counters, links = columns.counters[row], _links(columns, row)
    boundary = note_rest(
        counters, columns.means[row], columns.spreads[row], columns.group[row], columns.position[row], block
    )
    number = counters.count
    put_block(links, number, block)
    counters.count += 1
    if boundary != NONE or counters.resting:
        return boundary
    first = max(counters.start, counters.count - settings.horizon)
    link(links, settings, shares, first, number)
    n = counters.count - first
    if number % settings.every or n < settings.before + settings.after:
        return NONE
    cut, score = scan(links.nearest, first, n, settings)
    background = _background(columns.background[row], counters.background_seen, settings)
    if score >= settings.threshold + settings.background_share * background:
        return max(first + cut, counters.count - counters.budget)
    _keep_score(counters, columns.background[row], columns.scores[row], score)
    return NONE


@kernel(nogil=True)
def _background(scores, seen, settings):  # type: ignore[no-untyped-def]
    """The median of the scores where there is no boundary."""
    prior = settings.background_prior_blocks // settings.every
    return running_median(scores[: max(prior, min(seen, len(scores)))])


@kernel(nogil=True)
def _keep_score(counters, background, scores, score):  # type: ignore[no-untyped-def]
    """What is no boundary becomes part of the background once none can be found that it belongs to."""
    scores[counters.waiting] = score
    counters.waiting += 1
    if counters.waiting == len(scores):
        background[counters.background_seen % len(background)] = scores[0]
        counters.background_seen += 1
        scores[:-1] = scores[1:].copy()
        counters.waiting -= 1


@kernel(nogil=True)
def accept(columns, settings, shares, row, boundary):  # type: ignore[no-untyped-def]
    """The open segment of a row ends before a boundary that `take_block` gave, and another begins there."""
    counters, links = columns.counters[row], _links(columns, row)
    counters.start, counters.waiting = boundary, 0
    for block in range(boundary, counters.count):
        forget(links, block % settings.horizon)
    for block in range(boundary + settings.apart, counters.count):
        link(links, settings, shares, boundary, block)


@kernel(nogil=True)
def _links(columns, row):  # type: ignore[no-untyped-def]
    """Of a row."""
    return Links(columns.past[row], columns.distances[row], columns.farthest[row], columns.nearest[row])
