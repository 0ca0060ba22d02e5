"""A stream that is resumed at another process of the server than its own: its call is passed on to that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from kineseg_service.api.codes import reason_of
from kineseg_service.api.siblings import Siblings, connected, on_behalf
from kineseg_service.api.status import Context, send
from kineseg_service.errors import ResumeUnknown

Requests = AsyncIterator[pb.SegmentRequest]


async def pass_on(siblings: Siblings, first: pb.SegmentRequest, requests: Requests, context: Context) -> bool:
    """Answers a call that resumes a stream, if one of the other processes has that; False if none has.

    Raises:
        grpc.aio.AioRpcError: The call has ended there, not well.
        ClientGoneError: There is no client any more.
    """
    for index, socket in enumerate(siblings.sockets):
        if index == siblings.own:
            continue
        async with connected(socket) as channel:
            call = pb_grpc.SegmentationServiceStub(channel).Segment(metadata=on_behalf())
            try:
                await call.write(first)
                response = await call.read()
                if not isinstance(response, pb.SegmentResponse):
                    raise await _error_of(call)
            except grpc.aio.AioRpcError as error:
                if reason_of(error) == ResumeUnknown.default_reason or error.code() is grpc.StatusCode.UNAVAILABLE:
                    continue
                raise
            sender = asyncio.create_task(_send_on(requests, call, context))
            try:
                while isinstance(response, pb.SegmentResponse):
                    await send(context, response)
                    response = await call.read()
                if await call.code() is not grpc.StatusCode.OK:
                    raise await _error_of(call)
            finally:
                sender.cancel()
                call.cancel()  # if it still lives its client is gone: the process keeps the stream
            return True
    return False


async def _send_on(requests: Requests, call: grpc.aio.StreamStreamCall[pb.SegmentRequest, pb.SegmentResponse],
                   context: Context) -> None:  # fmt: skip
    try:
        async for request in requests:
            await call.write(request)
        if not context.done():
            await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return  # the call has ended, and how is known to who reads it


async def _error_of(
    call: grpc.aio.StreamStreamCall[pb.SegmentRequest, pb.SegmentResponse],
) -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    code, details, trailing = await call.code(), await call.details(), await call.trailing_metadata()
    return grpc.aio.AioRpcError(code, nothing, trailing or nothing, details)
