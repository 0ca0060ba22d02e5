"""Snapshots in which something is other: what somebody can make of one who writes to the store in which it lies."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.kept import Writer, kept_of
from kineseg_core.kept.declared import NAMES, fields_of
from kineseg_core.kept.tree import Tree
from kineseg_core.kept.writer import _PLAIN
from numpy.typing import NDArray

Numbers = NDArray[Any]
Show = Callable[[str, Numbers], None]
"""Is given where numbers are, which are no whole ones, and an array of them that it may change."""
Swap = Callable[[object], object]
"""Is given whatever there is; gives what is to be in its place."""


class Forger(Writer):
    """Writes as `Writer` does, but shows all numbers, and then whatever there is, before it is written."""

    def __init__(self, show: Show = lambda where, numbers: None, swap: Swap = lambda value: value) -> None:
        super().__init__()
        self._show = show
        self._swap = swap
        self._within: list[object] = []
        self._names: list[str] = []

    def tree(self, value: object) -> Tree:
        """As that of `Writer`."""
        self._names.append(_attribute(self._within[-1] if self._within else None, value))
        value = self._swap(value)
        if kept_of(type(value)) is not None or type(value) in NAMES:
            self._within.append(value)
            tree = self._of_scorer(value) if isinstance(value, Scorer) else super().tree(value)
            self._within.pop()
        else:
            tree = super().tree(self._shown(value))
        self._names.pop()
        return tree

    def trees(self, values: Iterable[object]) -> list[Tree]:
        """As those of `Writer`."""
        return [value if type(value) in _PLAIN else self.tree(value) for value in values]

    def _shown(self, value: object) -> object:
        """The same with what it has become."""
        if isinstance(value, float):
            one = np.array([value])
            self._see(one)
            return float(one[0])
        if isinstance(value, np.ndarray):
            value = value.copy()
            self._see(value)
        elif isinstance(value, array) and value.typecode in "fd":
            value = array(value.typecode, value)
            self._see(np.frombuffer(value, value.typecode))
        return value

    def _of_scorer(self, scorer: Scorer) -> Tree:
        """Whose numbers lie in one piece of memory."""
        memory, scorer._memory = scorer._memory, scorer._memory.copy()
        state, values = scorer.kind.state_in(scorer._memory)
        self._see(state, "state")
        self._see(values.state, "values")
        try:
            return super().tree(scorer)
        finally:
            scorer._memory = memory

    def _see(self, held: Any, *path: str) -> None:
        """Arrays, their fields, and those of named tuples."""
        if isinstance(held, tuple):
            for name, part in zip(getattr(held, "_fields", ()), held, strict=True):
                self._see(part, *path, name)
        elif not isinstance(held, np.ndarray):
            return
        elif held.dtype.names is not None:
            for name in held.dtype.names:
                self._see(held[name], *path, name)
        elif held.dtype.kind == "f" and held.size:
            of = type(self._within[-1]).__name__ if self._within else ""
            self._show(".".join(filter(None, (of, *self._names[-3:], *path))), held)


def _attribute(of: object, value: object) -> str:
    kept = kept_of(type(of))
    names = kept.changes if kept is not None else fields_of(type(of)) if hasattr(of, "__dataclass_fields__") else ()
    return next((name for name in names if getattr(of, name) is value), "")
