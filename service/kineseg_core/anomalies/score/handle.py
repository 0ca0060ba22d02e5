"""All arrays of a stream as one object for its kernels: to take a hundred arrays one by one costs more than their work.

The object shares the memory of the arrays that it was made of.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.experimental import structref

from kineseg_core.kernels import kernel

_STRUCTREF: Any = structref
_FIELDS = ("state", "constants", "values", "value_constants", "layout", "priors", "bar")


class _StreamHandleType(types.StructRef):
    """What the compiler knows of it."""


class StreamHandle(structref.StructRefProxy):
    """A `StreamState`, its `StreamConstants`, state and constants of `BodyValues` or `ChannelValues`, `LayoutArrays`,
    ``(G, D)`` of `PRIOR`, and ``(4,)`` of an `AlarmBar`."""


_STRUCTREF.register(_StreamHandleType)
_STRUCTREF.define_proxy(StreamHandle, _StreamHandleType, _FIELDS)


@kernel()
def made_handle(state, constants, values, value_constants, layout, priors, bar):  # type: ignore[no-untyped-def]
    """Of these."""
    return StreamHandle(state, constants, values, value_constants, layout, priors, bar)  # type: ignore[no-untyped-call]
