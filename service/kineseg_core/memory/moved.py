"""The arrays of one stream, given those of another one of the same kind: they lie alike in memory."""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

_INTRINSIC: Any = intrinsic
_CGUTILS: Any = cgutils


@_INTRINSIC
def moved(typing_context, arrays, distance):  # type: ignore[no-untyped-def]
    """Tuples of arrays, of other tuples and of numbers, with the arrays so many bytes further on in memory.

    References to them are not counted: whoever calls the kernel keeps the memory.
    """

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        each, distance = arguments
        return _moved(context, builder, signature.args[0], each, distance)

    return arrays(arrays, types.int64), made


def _moved(context: Any, builder: Any, of: Any, each: Any, distance: Any) -> Any:
    if isinstance(of, types.Array):
        array = context.make_array(of)(context, builder, value=each)
        array.data = _CGUTILS.pointer_add(builder, array.data, distance)
        array.meminfo = _CGUTILS.get_null_value(array.meminfo.type)
        array.parent = _CGUTILS.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(of, types.BaseTuple):
        parts: Any = of
        for place, part in enumerate(parts):
            at = _moved(context, builder, part, builder.extract_value(each, place), distance)
            each = builder.insert_value(each, at, place)
    return each
