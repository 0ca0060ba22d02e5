"""What the schemes of URLs stand for: factories that are imported on use, ours and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any


@dataclass(frozen=True)
class Schemes:
    """Schemes of one sort.

    Attributes:
        what: What they stand for, such as "source".
        group: Entry points of other packages: a scheme = "module:factory".
        ours: The same of this one.
        extras: Of ours, those that need more than the plain install: the extra that brings it.
        error: Makes an error of a message.
    """

    what: str
    group: str
    ours: Mapping[str, str]
    extras: Mapping[str, str]
    error: Callable[[str], Exception]

    def names(self) -> tuple[str, ...]:
        """The schemes there are."""
        return tuple(sorted({*self.ours, *(point.name for point in entry_points(group=self.group))}))

    def factory(self, scheme: str) -> Any:
        """What a scheme stands for; raises `error` if there is none, or a package that it needs is not installed."""
        place = self.ours.get(scheme)
        if place is None:
            found = [point for point in entry_points(group=self.group) if point.name == scheme]
            if not found:
                raise self.error(f"there is no {self.what} {scheme!r}; there are: {', '.join(self.names())}")
            place = found[0].value
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("kineseg"):
                raise
            extra = self.extras.get(scheme)
            remedy = f'pip install "kineseg[{extra}]"' if extra else f"install {error.name}"
            raise self.error(f"{scheme}: needs more than the library ({error.name} is missing): {remedy}") from error
