"""The API reference: a page for each group of names, which autodoc fills from the docstrings."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

import kineseg

_HERE = {
    "Clients": "Client AsyncClient TLS Limits StreamConfig Decisions Health Model ModelInput",
    "Streams": "Stream AsyncStream Streams AsyncStreams SharedStream AsyncSharedStream StreamState Opened EndReason "
    "Watch AsyncWatch WatchedEvent",
    "In this process": "Segmenter segment Segmentation Segment ProvisionalSegment provisional_segments Joints",
    "Events": "Event EventKind SegmentStarted SegmentUpdated SegmentRetracted SegmentClosed LabelsMerged AnomalyRaised "
    "AnomalyUpdated AnomalyCleared AnomalyKind AnomalyClass Gap MissingValues Reconnected Summary FrameResult "
    "event_from_dict event_schema",
    "Sessions and names": "SessionInfo SessionDetail Totals TaughtName",
    "Errors": "",  # what is left
}
_APART = {
    "kineseg.motion": "Recordings, bodies, readers of files, and synthetic motion.",
    "kineseg.sources": "Live sources, and how to write one.",
    "kineseg.sinks": "Where events go, and how to write such a place.",
    "kineseg.batch": "Archives of recordings.",
    "kineseg.page": "The live page.",
}


def api_pages() -> Iterator[tuple[str, str]]:
    """Name and text of each page."""
    groups = {title: names.split() for title, names in _HERE.items()}
    placed = {name for names in groups.values() for name in names}
    left = [name for name in kineseg.__all__ if name not in placed and name != "__version__"]
    strays = [name for name in left if not _is_error(getattr(kineseg, name))]
    if strays:
        raise SystemExit(f"docs/site/api.py: say in which group {', '.join(strays)} belong")
    groups["Errors"] = sorted(left, key=lambda name: (len(getattr(kineseg, name).__mro__), name))
    entries = []
    for title, names in groups.items():
        page = title.lower().replace(" ", "-")
        entries.append(page)
        yield f"reference/api/{page}.rst", _page(title, "", "kineseg", names)
    for name, about in _APART.items():
        module = importlib.import_module(name)
        entries.append(name)
        yield f"reference/api/{name}.rst", _page(name, about, name, _public(module))
    yield "reference/api/index.rst", _index(entries)


def _index(entries: list[str]) -> str:
    lines = [
        *_title("Python API"),
        "The names below are all that is public; what begins with an underscore may change at any time.",
        "",
        ".. toctree::",
        "   :maxdepth: 2",
        "",
        *(f"   {entry}" for entry in entries),
    ]
    return "\n".join(lines) + "\n"


def _page(title: str, about: str, module: str, names: list[str]) -> str:
    lines = [*_title(title), about, "", f".. currentmodule:: {module}", ""]
    for name in names:
        value = getattr(importlib.import_module(module), name)
        if _is_error(value):
            lines += [f".. autoexception:: {name}", "   :show-inheritance:", ""]
        elif inspect.isclass(value):
            lines += [f".. autoclass:: {name}", "   :members:", ""]
        elif inspect.isroutine(value):
            lines += [f".. autofunction:: {name}", ""]
        else:
            lines += [f".. autodata:: {name}", "   :no-value:", ""]
    return "\n".join(lines) + "\n"


def _public(module: ModuleType) -> list[str]:
    """Its names, what the plain reader looks for first: functions, classes, values, errors."""

    def order(name: str) -> tuple[int, str]:
        value = getattr(module, name)
        kinds = (inspect.isroutine(value), inspect.isclass(value) and not _is_error(value), not _is_error(value), True)
        return kinds.index(True), name.lower()

    return sorted(set(module.__all__) - set(kineseg.__all__), key=order)  # each name stands on one page


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def _title(text: str) -> tuple[str, str, str]:
    return text, "=" * len(text), ""
