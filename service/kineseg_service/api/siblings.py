"""The processes of one server ask each other what clients ask one of them. Each answers for itself at a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import Message
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from kineseg_service.access.caller import Caller, current_caller
from kineseg_service.api.answering import Answering
from kineseg_service.api.codes import reason_of
from kineseg_service.api.servicer import Servicer
from kineseg_service.errors import UnknownSession
from kineseg_service.metrics import Metrics

Answer = TypeVar("Answer", bound=Message)
_SERVICE, _RELOAD, _JOIN, _MOVE = "kineseg.internal.Processes", "ReloadNames", "Join", "MoveStream"
_TENANT = "kineseg-tenant"
# Between processes of one server nothing is too long that is short enough for a client.
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# A connection of its own for every question: they are rare, and a process that has been started anew is found at once.
_CHANNEL = [*_UNLIMITED, ("grpc.use_local_subchannel_pool", 1)]


class Watch(Protocol):
    """The watch of all processes for one client."""

    async def reaches(self, index: int) -> None:
        """Returns when this process is watched, or the watch is over."""


class Siblings:
    """All processes of a server, this one among them.

    Args:
        sockets: Where each answers.
        own: Which of them this one is.
    """

    def __init__(self, sockets: Sequence[str], own: int) -> None:
        self.sockets = list(sockets)
        self.own = own
        self.watches: set[Watch] = set()  # of all processes, that are under way here

    async def ask_all(self, method: str, request: Message, answer: type[Answer]) -> list[Answer]:
        """What all of them answer. One that is not there is being started anew, and has no sessions.

        Raises:
            grpc.aio.AioRpcError: One cannot answer.
        """
        return [found for found in await self._answers(method, request, answer) if not isinstance(found, Exception)]

    async def ask_owner(self, method: str, request: Message, answer: type[Answer]) -> Answer:
        """What that one answers which has the session.

        Raises:
            grpc.aio.AioRpcError: It refuses, or there is none.
        """
        found = await self._answers(method, request, answer, passed_over=(UnknownSession.default_reason,))
        for one in found:
            if not isinstance(one, Exception):
                return one
        own = found[self.own]
        assert isinstance(own, Exception)
        raise own

    async def reload_names(self) -> None:
        """Makes all of them read the name bank; returns when they have.

        Raises:
            grpc.aio.AioRpcError: One could not.
        """

        await self._notify_all(_RELOAD)  # one that is not there reads the bank when it starts

    async def join(self) -> None:
        """Says to all others that this one answers; returns when their watchers watch it.

        Raises:
            grpc.aio.AioRpcError: One cannot.
        """
        await self._notify_all(_JOIN, bytes([self.own]))

    async def joined(self, index: int) -> None:
        """Another one answers: returns when all that watch here watch it, too."""
        for watch in list(self.watches):
            await watch.reaches(index)

    async def take_stream(self, stream_id: str, token: str) -> bytes:
        """Has the stream of this id and token moved here, from whichever has it; see `Resumption.move_away`."""
        wanted = pb.ResumeStream(stream_id=stream_id, resume_token=token).SerializeToString()

        async def ask(socket: str) -> bytes:
            async with connected(socket) as channel:
                move: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{_SERVICE}/{_MOVE}")
                try:
                    return await move(wanted, metadata=on_behalf())
                except grpc.aio.AioRpcError:  # whatever it is, another may have it, or it is in a store
                    return b""

        others = [socket for index, socket in enumerate(self.sockets) if index != self.own]
        return max(await asyncio.gather(*map(ask, others)), key=len, default=b"")

    async def _notify_all(self, what: str, message: bytes = b"") -> None:
        async def notify(socket: str) -> None:
            async with connected(socket) as channel:
                ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{_SERVICE}/{what}")
                try:
                    await ask(message)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise

        await asyncio.gather(*map(notify, self.sockets))

    async def _answers(
        self, method: str, request: Message, answer: type[Answer], passed_over: Sequence[str] = ()
    ) -> list[Answer | grpc.aio.AioRpcError]:
        """What each answers, or why it does not: it is not there, or a reason that is `passed_over`."""

        async def ask(socket: str) -> Answer | grpc.aio.AioRpcError:
            async with connected(socket) as channel:
                try:
                    found = await getattr(pb_grpc.SegmentationServiceStub(channel), method)(
                        request, metadata=on_behalf()
                    )
                except grpc.aio.AioRpcError as error:
                    if error.code() is grpc.StatusCode.UNAVAILABLE or reason_of(error) in passed_over:
                        return error
                    raise
            assert isinstance(found, answer)
            return found

        return await asyncio.gather(*map(ask, self.sockets))


def on_behalf() -> tuple[tuple[str, str], ...]:
    """Metadata that says to another process whose call is passed on to it."""
    return ((_TENANT, current_caller.get().tenant),)


class PassedOn(grpc.aio.ServerInterceptor):
    """Believes what another process of the server says about whose call it is: no one else reaches the socket."""

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Notes it for the call."""
        for key, value in details.invocation_metadata:
            if key == _TENANT:
                current_caller.set(Caller(str(value)))
        return await continuation(details)


@asynccontextmanager
async def connected(socket: str) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to one of them."""
    async with grpc.aio.insecure_channel(socket, _CHANNEL) as channel:
        yield channel


async def answer_siblings(
    servicer: Servicer, metrics: Metrics, reload: Callable[[], Awaitable[None]], siblings: Siblings
) -> grpc.aio.Server:
    """Starts the server that answers the other processes.

    Args:
        servicer: Answers for this process alone.
        metrics: Where its errors are counted.
        reload: Reads the name bank.
        siblings: All of them.
    """

    async def reload_names(_: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        await reload()
        return b""

    async def join(message: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        await siblings.joined(message[0])
        return b""

    async def move(message: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        wanted = pb.ResumeStream.FromString(message)
        return await servicer.move_away(wanted.stream_id, wanted.resume_token)

    server = grpc.aio.server(options=_UNLIMITED, interceptors=[PassedOn(), Answering(metrics)])
    pb_grpc.add_SegmentationServiceServicer_to_server(servicer, server)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        _RELOAD: grpc.unary_unary_rpc_method_handler(reload_names),
        _JOIN: grpc.unary_unary_rpc_method_handler(join),
        _MOVE: grpc.unary_unary_rpc_method_handler(move),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    server.add_insecure_port(siblings.sockets[siblings.own])
    await server.start()
    return server
