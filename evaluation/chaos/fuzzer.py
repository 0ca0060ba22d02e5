"""Says conversations to a server, and makes noise at its port, while it is let."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AbstractContextManager
from typing import Any

import grpc

from evaluation.chaos.beside import going_on
from evaluation.chaos.conversations import Conversation, conversations
from evaluation.chaos.noise import Noise

_AT_ONCE = 8
_PATIENCE_S = 3.0
_WATCH_S = 0.2
_OF_THE_CLIENT = "Internal error from Core"
_NOISE_EVERY = 20  # conversations


class Fuzzer:
    """Talks to a server.

    Args:
        address: Of it.
        per_s: So many messages are said a second at most.
        seed: Decides what is said.

    Attributes:
        messages: How many have been said.
        codes: How the calls have ended, by the names of status codes, and with what text last.
        noise: What was sent beside.
    """

    def __init__(self, address: str, per_s: float, seed: int = 0) -> None:
        self.messages = 0
        self.codes: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self.noise = Noise(address, seed)
        self._address = address
        self._per_s = per_s
        self._said = conversations(seed)
        self._conversations = 0

    def talking(self) -> AbstractContextManager[None]:
        """While it is entered."""
        return going_on(self._talk)

    async def _talk(self, stop: asyncio.Event) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        async with grpc.aio.insecure_channel(self._address, options=options) as channel:
            began, before = time.monotonic(), self.messages

            async def say_on() -> None:
                while not stop.is_set():
                    ahead_s = (self.messages - before) / self._per_s - (time.monotonic() - began)
                    await asyncio.sleep(max(0.0, ahead_s))
                    self._conversations += 1
                    if self._conversations % _NOISE_EVERY == 0:
                        await self.noise.knock()
                    await self._say(channel, next(self._said))

            await asyncio.gather(*(say_on() for _ in range(_AT_ONCE)))

    async def _say(self, channel: grpc.aio.Channel, said: Conversation) -> None:
        method, messages = said.method, said.messages
        self.messages += len(messages)
        call: Any
        try:
            if method.client_streaming:
                talk: Any = channel.stream_stream(said.path)
                call = talk(iter(messages), timeout=_PATIENCE_S)
            else:
                ask: Any = channel.unary_stream(said.path)
                call = ask(messages[0], timeout=_WATCH_S if method.server_streaming else _PATIENCE_S)
            async for _ in call:
                pass
        except grpc.aio.AioRpcError as error:
            # What the client's own side says where the server has ended the call while more was being said.
            code = "ENDED_MEANWHILE" if error.details() == _OF_THE_CLIENT else error.code().name
            self.codes[code] += 1
            self.texts[code] = f"{method.name}: {error.details()}"
        else:
            self.codes[(await call.code()).name] += 1
