"""What is known of a server whatever its processes count: its version, and when its certificates end."""

from __future__ import annotations

from collections.abc import Iterator

from kineseg._version import __version__
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kineseg_service.access.certificates import Certificates
from kineseg_service.logs import harmless


class ServerFacts(Collector):
    """Both, as they are when they are asked for.

    Args:
        certificates: The server's; none: it has no TLS.
    """

    def __init__(self, certificates: Certificates | None) -> None:
        self._certificates = certificates

    def collect(self) -> Iterator[Metric]:
        """The families."""
        build = GaugeMetricFamily("kineseg_build_info", "The version of the server.", labels=["version"])
        build.add_metric([__version__], 1.0)
        yield build
        if self._certificates is not None:
            ends = GaugeMetricFamily(
                "kineseg_certificate_expiry_timestamp_seconds",
                "When the first certificate of a file ends, by the setting that names the file.",
                labels=["setting"],
            )
            with harmless("metrics of certificates"):
                for setting, at in self._certificates.ends().items():
                    ends.add_metric([setting], at)
            yield ends
