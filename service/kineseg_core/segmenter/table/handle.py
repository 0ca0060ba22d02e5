"""All that kernels need to know of a table, as one object: to take dozens of arrays one by one costs more than a row.

The object shares the memory of the arrays that it was made of, and does not keep it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.experimental import structref

from kineseg_core.kernels import kernel
from kineseg_core.memory.moved import moved

_STRUCTREF: Any = structref
_FIELDS = ("columns", "plan", "ends", "views", "made", "coming", "looked", "follows")

COMING = np.dtype([("made", np.int64), ("taken", np.int64), ("follows", np.bool_)])
"""Blocks that were made of a row's frame, how many of them have been taken, and whether anything may have followed from
one of these."""


class _TableHandleType(types.StructRef):
    """What the compiler knows of it."""


class TableHandle(structref.StructRefProxy):
    """`Columns`, `PlanNumbers`, where the parts of a block end, and which are of which view, see `ViewPlan`; of the B
    rows of a step the blocks ``(B, M, D)`` that come with their frames, and ``(B,)`` of `COMING`; `Looked`, and
    ``(B,)`` bool, whether anything may follow from each of the blocks that were taken last."""


_STRUCTREF.register(_TableHandleType)
_STRUCTREF.define_proxy(TableHandle, _TableHandleType, _FIELDS)


@kernel()
def made_handle(columns, plan, ends, views, made, coming, looked, follows):  # type: ignore[no-untyped-def]
    """Of these."""
    return TableHandle(  # type: ignore[no-untyped-call]
        moved(columns, 0), plan, moved(ends, 0), moved(views, 0), moved(made, 0), moved(coming, 0), moved(looked, 0),
        moved(follows, 0),
    )  # fmt: skip
