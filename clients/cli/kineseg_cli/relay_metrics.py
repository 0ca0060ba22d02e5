"""What becomes of a relay's events, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from kineseg.sinks import Counts, Relay

_COUNTERS = {
    "delivered": "Events that a sink has taken.",
    "failed": "Deliveries to a sink that were tried in vain.",
    "dropped": "Events that made room for others, as too many waited for a sink.",
    "refused": "Events that a sink will never take.",
}


class RelayMetrics:
    """The counts of all sinks, as they are when they are asked for: a collector of prometheus_client.

    Args:
        relay: Whose.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def collect(self) -> Iterator[Any]:
        """The families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counts: Mapping[str, Counts] = self._relay.counts
        for what, documentation in _COUNTERS.items():
            counter = CounterMetricFamily(f"kineseg_sink_{what}", documentation, labels=["sink"])
            for name, of_sink in counts.items():
                counter.add_metric([name], getattr(of_sink, what))
            yield counter
        waiting = GaugeMetricFamily("kineseg_sink_waiting", "Events that wait for a sink.", labels=["sink"])
        failing = GaugeMetricFamily("kineseg_sink_failing", "1 while a sink takes no events.", labels=["sink"])
        for name, of_sink in counts.items():
            waiting.add_metric([name], of_sink.waiting)
            failing.add_metric([name], bool(of_sink.failing))
        yield waiting
        yield failing


@contextmanager
def shown_to_prometheus(relay: Relay, address: str) -> Iterator[None]:
    """Serves a relay's counts; an empty address: it does not.

    Args:
        relay: Whose.
        address: HOST:PORT, or a port of 127.0.0.1.
    """
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        number = int(port)
    except ValueError:
        raise typer.BadParameter(f"must be HOST:PORT, not {address!r}", param_hint="--metrics") from None
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ModuleNotFoundError as error:
        message = "it needs prometheus-client: pip install 'kineseg[metrics]'"
        raise typer.BadParameter(message, param_hint="--metrics") from error
    registry = CollectorRegistry()
    registry.register(RelayMetrics(relay))
    try:
        server, thread = start_http_server(number, host.strip("[]") or "127.0.0.1", registry)
    except OSError as error:
        raise typer.BadParameter(f"cannot listen on {address}: {error.strerror}", param_hint="--metrics") from error
    server.set_app(_at_its_path(server.get_app()))  # prometheus_client answers any path
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _at_its_path(app: Any) -> Any:
    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"there is /metrics\n"]
        found: Iterable[bytes] = app(environ, start_response)
        return found

    return answer
