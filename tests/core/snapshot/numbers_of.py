"""What a stream emits, looked at for numbers that are none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

from kineseg_core.events import Output


def strange_outputs(out: Iterable[Output]) -> str:
    """Where the first number lies that is not finite; empty: there is none."""
    return next((f"{type(each).__name__}{where}" for each in out for where in _strange(each, "")), "")


def _strange(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from _strange(getattr(value, each.name), f"{path}.{each.name}")
    elif isinstance(value, str) and ("nan" in value.split() or "inf" in value.split()):
        yield path
    elif not isinstance(value, str | bytes) and isinstance(value, Iterable):
        for part in value:
            yield from _strange(part, path)
