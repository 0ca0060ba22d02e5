"""By TLS, to real receivers: whom one trusts is said, and no one else gets anything."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trustme
from kineseg.sinks import Retry, open_sink

from evaluation.ports import free_port
from tests.sinks.http_receiver import HttpReceiver
from tests.sinks.made_events import events
from tests.sources.brokers import Broker, found, mosquitto, nats_server


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Its certificate, and one of its for this machine, in files."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf = authority.issue_cert("127.0.0.1")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    return authority


@contextmanager
def served(scheme: str, folder: Path) -> Iterator[str]:
    """A receiver with that certificate; the URL of its sink, without options."""
    key, certificate = str(folder / "key.pem"), str(folder / "cert.pem")
    with ExitStack() as stack:
        if scheme == "cloudevents+https":
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(certificate, key)
            receiver = HttpReceiver(tls=tls)
            receiver.start()
            stack.callback(receiver.close)
            yield f"cloudevents+{receiver.address}/#"
            return
        if scheme == "mqtts":
            broker = mosquitto(folder, "allow_anonymous true", f"keyfile {key}", f"certfile {certificate}")
        elif scheme == "nats+tls":
            broker = nats_server("-js", "-sd", str(folder / "kept"), "--tls", "--tlskey", key, "--tlscert", certificate)
        else:
            port = free_port()
            made = Broker(
                [found("redis-server", "apt-get install redis-server"), "--port", "0", "--tls-port", str(port),
                 "--tls-auth-clients", "no", "--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-key-file", key,
                 "--tls-cert-file", certificate, "--save", "", "--dir", str(folder)], port,
            )  # fmt: skip
            made.start()
            stack.callback(made.stop)
            yield f"rediss://127.0.0.1:{port}?"
            return
        port = stack.enter_context(broker).port
        yield f"{scheme}://127.0.0.1:{port}?" + ("stream=events&" if scheme == "nats+tls" else "")


# paho leaves a socket to the garbage collector where the handshake has failed.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("authority")
@pytest.mark.parametrize("scheme", ["cloudevents+https", "mqtts", "nats+tls", "rediss"])
async def test_who_is_trusted_gets_events_and_no_one_else(scheme: str, tmp_path: Path) -> None:
    with served(scheme, tmp_path) as url:
        trusting = open_sink(f"{url}ca={tmp_path / 'ca.pem'}")
        await trusting.deliver(events(3))
        await trusting.close()
        stranger = open_sink(url.rstrip("?&#"))
        with pytest.raises(Retry, match=r"(?i)certificate"):
            await stranger.deliver(events(3))
        await stranger.close()
