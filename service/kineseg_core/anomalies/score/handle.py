"""All that kernels need to know of a kind of stream, as one object: to take a hundred arrays one by one costs more than
their work.

The object shares the memory of the arrays that it was made of, and does not keep it.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.experimental import structref

from kineseg_core.kernels import kernel
from kineseg_core.memory.moved import moved

_STRUCTREF: Any = structref
_FIELDS = ("state", "constants", "values", "value_constants", "layout", "priors")


class _KindHandleType(types.StructRef):
    """What the compiler knows of it."""


class KindHandle(structref.StructRefProxy):
    """The `StreamState` of a new stream, its `StreamConstants`, state and constants of `BodyValues` or `ChannelValues`,
    `LayoutArrays`, and ``(G, D)`` of `PRIOR`."""


_STRUCTREF.register(_KindHandleType)
_STRUCTREF.define_proxy(KindHandle, _KindHandleType, _FIELDS)


@kernel()
def made_handle(state, constants, values, value_constants, layout, priors):  # type: ignore[no-untyped-def]
    """Of these."""
    return KindHandle(  # type: ignore[no-untyped-call]
        moved(state, 0), constants, moved(values, 0), moved(value_constants, 0), moved(layout, 0), moved(priors, 0)
    )
