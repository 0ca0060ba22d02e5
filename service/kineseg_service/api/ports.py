"""The gRPC server of a process: its limits, and the services on its port."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from kineseg_service.api.servicer import Servicer
from kineseg_service.config import Settings

SERVICE = pb.DESCRIPTOR.services_by_name["SegmentationService"].full_name
# Calls beyond streams and watchers: what asks for models, sessions, names or health is done in a moment.
_OTHER_CALLS = 1024
# However small requests have to be: thousands of segments, or the profile of hundreds of joints, are an answer.
_LARGEST_ANSWER = 4 << 20


def grpc_server(
    servicer: Servicer, health: health_aio.HealthServicer, settings: Settings, *, shared: bool = False
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
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ],
        maximum_concurrent_rpcs=settings.max_sessions + settings.max_watchers + settings.max_opening + _OTHER_CALLS,
    )
    pb_grpc.add_SegmentationServiceServicer_to_server(servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server
