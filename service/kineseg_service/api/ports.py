"""The gRPC server of a process: its limits, and the services on its port."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from kineseg_service.access.certificates import Certificates, Pems
from kineseg_service.api.servicer import Servicer
from kineseg_service.config import Settings

SERVICE = pb.DESCRIPTOR.services_by_name["SegmentationService"].full_name
# Calls beyond streams and watchers: what asks for models, sessions, names or health is done in a moment.
_OTHER_CALLS = 1024
# However small requests have to be: thousands of segments, or the profile of hundreds of joints, are an answer.
_LARGEST_ANSWER = 4 << 20


def most_calls(settings: Settings) -> int:
    """So many may be under way."""
    return settings.max_sessions + settings.max_watchers + settings.max_opening + _OTHER_CALLS


def grpc_server(
    servicer: Servicer,
    health: health_aio.HealthServicer,
    settings: Settings,
    interceptors: Sequence[grpc.aio.ServerInterceptor],
    *,
    shared: bool = False,
) -> grpc.aio.Server:
    """A server for clients that has no port yet; `shared` lets other processes listen on the same."""
    most = settings.max_message_bytes
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", most),
            ("grpc.max_send_message_length", max(most, _LARGEST_ANSWER)),
            # A second server on the port is an error, not a rival, unless it is of this one's processes.
            ("grpc.so_reuseport", int(shared)),
            # A machine that vanishes without a word is noticed in about a minute.
            ("grpc.keepalive_time_ms", 40_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.http2.ping_timeout_ms", 20_000),  # 60 s otherwise, whatever the one above says
            # So often, and no more, a client may ask whether it still has its server, of which it hears nothing.
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ],
        interceptors=interceptors,
        maximum_concurrent_rpcs=most_calls(settings),
    )
    pb_grpc.add_SegmentationServiceServicer_to_server(servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


def add_port(server: grpc.aio.Server, address: str, certificates: Certificates | None) -> int:
    """Lets a server listen there, with TLS if there are certificates; the port.

    Raises:
        RuntimeError: It is taken.
    """
    if certificates is None:
        return server.add_insecure_port(address)
    return server.add_secure_port(address, _credentials(certificates))


def _credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """What gives every new connection the certificates of its time."""
    given = certificates.current()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        found = certificates.current()
        if found is given:
            return None
        given = found
        return _configuration(found)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(given),
        fetch,  # type: ignore[arg-type]  # none says that nothing has changed, which its types do not know
        require_client_authentication=certificates.asks_clients,
    )


def _configuration(pems: Pems) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pems.key, pems.chain)], pems.client_ca)
