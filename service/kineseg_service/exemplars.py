"""Which streams are examples of what histograms have counted: the latest of each bucket, also over several processes.

prometheus_client keeps none where there are several processes, and looks at each more closely than is needed here.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Exemplar

Latest = dict[tuple[str, str], tuple[str, float, float]]
"""By family and bucket: the stream, the value that was counted, and when, in Unix seconds."""

_LABEL = "stream_id"
_EVERY_S = 1.0


class Exemplars:
    """The latest of each bucket in this process. To be used in one thread; `latest` may be read by any."""

    def __init__(self) -> None:
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        self._path = None if folder is None else _file_of(Path(folder), os.getpid())
        self._latest: Latest = {}
        self._changed = False
        self._written_at = 0.0

    def saw(self, family: str, bucket: str, stream_id: str, value: float) -> None:
        """A stream is an example of this bucket."""
        self._latest[family, bucket] = stream_id, value, time.time()
        self._changed = True

    def settle(self) -> None:
        """Where there are several processes: writes what there is, once a second, for the one that answers for all."""
        if self._path is None or not self._changed or time.monotonic() - self._written_at < _EVERY_S:
            return
        self._changed, self._written_at = False, time.monotonic()
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps([[*key, *value] for key, value in self._latest.items()]))
        beside.replace(self._path)

    def latest(self) -> Latest:
        """What there is."""
        return self._latest.copy()


def latest_of_all(folder: Path) -> Latest:
    """The latest of each bucket in all processes that share the folder."""
    found: Latest = {}
    for path in folder.glob("exemplars_*.json"):
        for family, bucket, stream_id, value, at in json.loads(path.read_bytes()):
            key = str(family), str(bucket)
            if key not in found or found[key][2] < at:
                found[key] = str(stream_id), float(value), float(at)
    return found


def forget_process(folder: Path, pid: int) -> None:
    """A process has ended."""
    _file_of(folder, pid).unlink(missing_ok=True)


class WithExemplars(Collector):
    """Metrics with the examples of their buckets.

    Args:
        registry: The metrics.
        source: The folder that processes share, or the examples of this one.
    """

    def __init__(self, registry: Collector, source: Path | Exemplars) -> None:
        self._registry = registry
        self._source = source

    def collect(self) -> Iterator[Metric]:
        """The families, as they are asked for."""
        latest = latest_of_all(self._source) if isinstance(self._source, Path) else self._source.latest()
        for family in self._registry.collect():
            if family.type == "histogram":
                family.samples = [
                    sample
                    if (found := latest.get((family.name, sample.labels.get("le", "")))) is None
                    else sample._replace(exemplar=Exemplar({_LABEL: found[0]}, found[1], found[2]))
                    for sample in family.samples
                ]
            yield family

    def restricted_registry(self, names: Iterable[str]) -> Collector:
        """The same of those that have these names."""
        registry = self._registry
        return WithExemplars(
            registry.restricted_registry(names) if isinstance(registry, CollectorRegistry) else registry,
            self._source,
        )


def _file_of(folder: Path, pid: int) -> Path:
    return folder / f"exemplars_{pid}.json"
