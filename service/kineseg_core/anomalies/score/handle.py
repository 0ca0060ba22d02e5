"""All arrays of a stream as one object for its kernels: to take a hundred arrays one by one costs more than their work.

The object shares the memory of the arrays that it was made of.
"""

from __future__ import annotations

from numba.core import types
from numba.experimental import structref

from kineseg_core.kernels import kernel

_FIELDS = (
    *("clock", "book", "lost", "masks", "envelope", "tails", "recent", "y", "top", "severities", "warm", "warm_s"),
    *("constants", "values", "value_constants", "layout", "priors", "bar"),
)


class _StreamHandleType(types.StructRef):
    """What the compiler knows of it."""


class StreamHandle(structref.StructRefProxy):
    """The attributes of a `StreamState`, and `constants` (`StreamConstants`), `values` and `value_constants` (state and
    constants of `BodyValues` or `ChannelValues`), `layout` (`LayoutArrays`), `priors` (``(G, D)`` of `PRIOR`) and `bar`
    (``(4,)``, see `AlarmBar`)."""


structref.register(_StreamHandleType)
structref.define_proxy(StreamHandle, _StreamHandleType, _FIELDS)


@kernel()
def made_handle(state, constants, values, value_constants, layout, priors, bar):  # type: ignore[no-untyped-def]
    """Of a `StreamState` and what else there is."""
    return StreamHandle(
        state.clock,
        state.book,
        state.lost,
        state.masks,
        state.envelope,
        state.tails,
        state.recent,
        state.y,
        state.top,
        state.severities,
        state.warm,
        state.warm_s,
        constants,
        values,
        value_constants,
        layout,
        priors,
        bar,
    )
