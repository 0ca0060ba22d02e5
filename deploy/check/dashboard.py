"""The dashboard has nothing that Grafana's schema does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

PATH = Path(__file__).parents[1] / "grafana" / "dashboards" / "kineseg.json"


def lost(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """What is in `before` and not the same in `after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after.get(key), f"{where}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{where}[{at}]")
    elif before != after:
        yield f"{where} is {before!r}, and is read as {after!r}"


if __name__ == "__main__":
    plugins.register_default_plugins()
    written = json.loads(PATH.read_text(encoding="utf-8"))
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))
    faults = list(lost(written, read))
    assert not faults, "\n".join(faults)
    print(f"{len(written['panels'])} panels are as the schema says")
