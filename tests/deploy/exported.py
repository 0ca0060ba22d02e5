"""The metrics that a server and a relay have, by the names that queries use."""

from __future__ import annotations

import tempfile
from pathlib import Path

import trustme
from kineseg.sinks import Relay
from kineseg_cli.relay_metrics import RelayMetrics
from kineseg_service.access.certificates import Certificates
from kineseg_service.api.codes import CODE_NAMES
from kineseg_service.facts import ServerFacts
from kineseg_service.metrics import Metrics

from tests.service.locked import write_pair

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def exported() -> dict[str, str]:
    """The types of all families, by name; a counter's ends with `_total`."""
    metrics = Metrics(CODE_NAMES)
    with tempfile.TemporaryDirectory() as folder:
        pair = write_pair(trustme.CA().issue_cert("localhost"), Path(folder))
        metrics.registry.register(ServerFacts(Certificates(*pair)))
        families = [*metrics.registry.collect(), *RelayMetrics(Relay([], None, print)).collect()]
    return {f"{family.name}_total" if family.type == "counter" else family.name: family.type for family in families}


def series() -> set[str]:
    """The names of all series."""
    return {name.removesuffix("_total") + suffix for name, kind in exported().items() for suffix in _SUFFIXES[kind]}
