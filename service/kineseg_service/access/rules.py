"""Which role each remote call needs. What has no rule is refused: a new call is closed until it gets one."""

from __future__ import annotations

from kineseg_service.access.caller import Role

_OURS = "/kineseg.v1.SegmentationService/"
_ANY = frozenset(Role)

OPEN = frozenset({"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/grpc.health.v1.Health/List"})
"""Anyone may call these: load balancers have no token, and learn whether the server serves."""

ROLES: dict[str, frozenset[Role]] = {
    _OURS + "Segment": frozenset({Role.STREAM, Role.ADMIN}),
    _OURS + "SegmentMany": frozenset({Role.STREAM, Role.ADMIN}),
    _OURS + "WatchEvents": frozenset({Role.WATCH, Role.ADMIN}),
    _OURS + "ListModels": _ANY,
    _OURS + "ListSessions": frozenset({Role.WATCH, Role.ADMIN}),
    _OURS + "GetSession": frozenset({Role.WATCH, Role.ADMIN}),
    _OURS + "CloseSession": frozenset({Role.ADMIN}),
    _OURS + "TeachName": frozenset({Role.NAMES, Role.ADMIN}),
    _OURS + "ListNames": _ANY,
    _OURS + "ForgetName": frozenset({Role.NAMES, Role.ADMIN}),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": _ANY,
}
"""Of each other call, the roles of which one is enough."""

METRICS = frozenset({Role.ADMIN})
"""The same for reading metrics."""
