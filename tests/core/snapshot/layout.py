"""What the versions of snapshots stand for, as digests. `python -m tests.core.snapshot.layout` writes them down."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from kineseg_core import snapshot
from kineseg_core.events import Event, Output
from kineseg_core.kept.declared import _DECLARED, RECORDS, fields_of
from kineseg_core.kept.tree import Tag
from kineseg_core.kept.writer import Writer

from tests.core.snapshot.scenes import KINDS, open_stream, opener, scene

FILE = Path(__file__).with_name("layout.json")


def found(folder: Path) -> dict[str, object]:
    """Both versions, and what they stand for now."""
    kept = sorted((cls.__name__, said.changes) for cls, said in _DECLARED.items() if _is_ours(cls))
    records = [(name, _fields(cls)) for name, cls in sorted(RECORDS.items()) if _is_ours(cls)]
    arrays: list[object] = []
    events: list[object] = []
    for kind in KINDS:
        made = scene(kind, 60.0, 30.0, (50, 7), seed=1, timed=True)
        stream = open_stream(opener(folder), made.request)
        stream.session.settle_in()
        arrays += [_arrays(Writer().tree(half)) for half in (stream.session.intake, stream.session)]
        out: list[Output] = []
        for chunk in made.chunks:
            stream.take(chunk.first, chunk.data, chunk.times_ns, out)
        stream.finish(out)
        events.append(
            [(type(each.detail).__name__, each.frame, each.decided_frame) for each in out if isinstance(each, Event)]
        )
    return {
        "layout": snapshot.LAYOUT,
        "kept": _digest([kept, records, arrays, list(Tag.__members__)]),
        "arithmetic": snapshot.ARITHMETIC,
        "events": _digest(events),
    }


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith("kineseg")


def _fields(cls: type) -> list[str]:
    if hasattr(cls, "__members__"):
        return list(cls.__members__)
    return list(getattr(cls, "_fields", ())) or list(fields_of(cls))


def _arrays(tree: object) -> list[object]:
    """Kinds and shapes of all arrays in a tree."""
    if not isinstance(tree, list) or not tree:
        return []
    if tree[0] == Tag.ARRAY:
        return [tree[1:3]]
    return [each for part in tree[1:] for each in _arrays(part)]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(json.dumps(found(Path(folder)), indent=2) + "\n")
