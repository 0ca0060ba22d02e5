"""A call of one stream: opened or resumed by its first message; then one task reads, and the call's own answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CoreError, InvalidRequest, StepFailed
from kineseg_core.events import EndReason

from kineseg_service.api import convert
from kineseg_service.api.codes import code_of
from kineseg_service.api.opening import HALF_CLOSED_S, Openings, resumed_message, seen_of
from kineseg_service.api.status import ClientGoneError, Context, fields_of, send
from kineseg_service.config import Settings
from kineseg_service.errors import Draining, ResumedElsewhere, afresh
from kineseg_service.logs import Log, get_logger
from kineseg_service.streams.call import Call as StreamCall
from kineseg_service.streams.call import ended
from kineseg_service.streams.live import LiveStreams, Make
from kineseg_service.streams.live_stream import LiveStream
from kineseg_service.streams.resumption import Finished

_log = get_logger(__name__)
Requests = AsyncIterator[pb.SegmentRequest]


class OneCall:
    """One call, from its first message to its end.

    Args:
        context: Where it is answered.
        openings: Open its stream.
        streams: All open streams of its tenant.
        settings: Limits.
    """

    def __init__(self, context: Context, openings: Openings, streams: LiveStreams, settings: Settings) -> None:
        self._context = context
        self._openings = openings
        self._together = streams.together
        self._settings = settings

    async def run(self, first: pb.SegmentRequest | None, requests: Requests) -> None:
        """Answers it; `first` is its first message, none if its client has half-closed instead.

        Raises:
            CoreError: What ends its stream before the end of its input.
        """
        task = asyncio.current_task()
        assert task is not None
        call = StreamCall(task.cancel)
        resumes = first is not None and first.WhichOneof("payload") == "resume"
        if first is not None and resumes:
            found = await self._openings.resume(first.resume, LiveStream, lambda wait_s: self._live(call, wait_s))
            if isinstance(found, Finished):
                await self._answer_finished(found, first.resume)
                return
            live = found
            live.call = call
        else:
            live = await self._open(first, call)
        reader: asyncio.Task[None] | None = None
        over = False
        try:
            log = _log.bind(session=live.session_id, stream=live.stream_id, model=live.session.config.model)
            if not resumes:
                log.info("stream opened", rate_hz=live.session.config.frame_rate_hz, peer=self._context.peer())
            opened = self._openings.opened(live, self._settings.max_chunk_frames, resumed=resumes)
            reader = asyncio.create_task(self._read(requests, live))
            await self._answer(opened, live, log, call)
            over = True
        except CoreError as error:
            over = not isinstance(error, ResumedElsewhere | Draining)
            raise
        finally:
            if reader is not None:
                reader.cancel()
                # It takes the chunk that it has begun; then it is known where the stream goes on.
                await ended(reader)
            self._openings.leave(live, over=over)
            call.over.set()

    async def _open(self, first: pb.SegmentRequest | None, call: StreamCall) -> LiveStream:
        if first is None or first.WhichOneof("payload") != "config":
            raise InvalidRequest(
                "the first message of a stream must be its configuration", field="config", reason="MESSAGE_UNEXPECTED"
            )
        with fields_of("config"):
            interval_s = convert.ack_interval_s(first.config)
        return await self._openings.open(first.config, self._live(call, interval_s))

    def _live(self, call: StreamCall, ack_interval_s: float) -> Make[LiveStream]:
        return partial(LiveStream, call=call, together=self._together, ack_interval_s=ack_interval_s)

    async def _answer_finished(self, finished: Finished, wanted: pb.ResumeStream) -> None:
        """Sends what is left of a stream that has come to its end."""
        opened = resumed_message(finished.described, finished.received, ended=True)
        await send(self._context, pb.SegmentResponse(opened=opened))
        for output in finished.since(seen_of(wanted)):
            await send(self._context, convert.response(output))
        if finished.error is not None:
            raise afresh(finished.error)

    async def _answer(
        self,
        opened: pb.Opened,
        live: LiveStream,
        log: Log,
        call: StreamCall,
    ) -> None:
        """Emits what the stream gives, to its end, and how it ended."""
        try:
            await send(self._context, pb.SegmentResponse(opened=opened))
            async for output in live.outputs():
                await send(
                    self._context, convert.response(output, None if live.beside is None else live.beside.durable)
                )
            await self._openings.departures.turn()
            if live.error is not None:
                raise afresh(live.error)
            log.info("stream ended", reason=live.ended.result().reason.value, frames=live.ended.result().frames)
        except CoreError as error:
            log.info("stream ended", error=error.message, code=code_of(type(error)).name)
            raise
        except ClientGoneError:
            log.info("stream cancelled")
            raise
        except asyncio.CancelledError:
            with suppress(asyncio.CancelledError):  # once more: it need not wait
                await self._openings.departures.turn()
            log.info("stream cancelled", given_up=live.given_up)
            if call.error is not None:
                raise afresh(call.error) from None
            if live.given_up and not self._context.done():
                return
            raise

    async def _read(self, requests: Requests, live: LiveStream) -> None:
        """Takes requests until the client half-closes, the stream is ended from elsewhere, or one is refused."""
        try:
            async for request in requests:
                if live.ending:
                    return
                field = request.WhichOneof("payload") or "payload"
                if field == "end":
                    async with self._openings.departures:
                        live.end(EndReason.COMPLETED)
                    return
                if field == "give_up":
                    live.abandon()
                    return
                if field != "chunk":
                    raise InvalidRequest(
                        "after the configuration, every message must be a chunk",
                        field=field, reason="MESSAGE_UNEXPECTED",
                    )  # fmt: skip
                chunk = request.chunk
                size = len(chunk.data)
                wait_s = self._openings.share.take_frames(size // live.session.intake.frame_bytes, size)
                if wait_s > 0:  # as long as nothing is read, the client cannot send
                    await asyncio.sleep(wait_s)
                await live.accept(chunk.first_frame, chunk.data, chunk.capture_times_ns)
            # A client that is gone ends its requests as well, and its call is cancelled in a moment.
            await asyncio.sleep(0.0 if live.resumable is None else HALF_CLOSED_S)
            if self._context.done():
                return
            async with self._openings.departures:
                if not self._context.done():
                    live.end(EndReason.COMPLETED)
        except CoreError as error:
            live.end(EndReason.REJECTED, error)
        except asyncio.CancelledError:
            raise
        except Exception:
            failure = StepFailed("the stream could not be read")
            _log.exception("reading failed", session=live.session_id, error_id=failure.error_id)
            live.end(EndReason.REJECTED, failure)
