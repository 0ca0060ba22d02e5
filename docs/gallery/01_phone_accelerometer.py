"""
A phone's accelerometer, live
=============================

A phone sends its acceleration and its turning as lines of JSON, one a frame, over TCP. The model ``scratch`` knows
nothing of phones, or of anything else: it learns the stream while it runs. By MQTT only the URL is another one,
``mqtt://BROKER/phone``.
"""

# %%
# The phone: a program, which is carried, laid down and shaken for a while each.

import asyncio
import json
import socket

import matplotlib.pyplot as plt
import numpy as np
from kineseg import AsyncClient, Segmentation
from kineseg.sources import open_source
from kineseg_service.server import BackgroundServer

RATE = 50
CHANNELS = ["ax", "ay", "az", "turn x", "turn y", "turn z"]
random = np.random.default_rng(3)


def motion(seconds, hertz, size):
    """Six values a frame: gravity, and a swing of some frequency and size."""
    phase = 2 * np.pi * hertz * np.arange(seconds * RATE)[:, None] / RATE + np.arange(6)
    return [0, 0, 9.8, 0, 0, 0] + size * np.sin(phase) + random.normal(0, 0.15, phase.shape)


lying, walking, shaking = (0.0, 0.0), (1.9, 2.0), (4.0, 6.0)
plan = [(17, walking), (12, lying), (13, shaking), (13, walking), (13, lying), (17, shaking), (14, walking)]
signal = np.concatenate([motion(seconds, *kind) for seconds, kind in plan])


async def phone(port):
    """Sends all of it as fast as it is taken: the time in each line says when it was measured."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [{"channels": CHANNELS, "rate": RATE}]
    lines += [{"values": row.tolist(), "frame": i, "time": i / RATE} for i, row in enumerate(signal)]
    for line in lines:
        writer.write(json.dumps(line).encode() + b"\n")
        await writer.drain()
    writer.close()


# %%
# The receiver. A source gives frames with their times, whatever came in between; a stream takes them.


async def segmented(address, port):
    """All events of the stream."""
    events = []
    url = f"ndjson+tcp-listen://127.0.0.1:{port}"
    async with AsyncClient(address) as client, open_source(url) as source:
        sender = asyncio.create_task(phone(port))
        async with client.stream(rate=RATE, channels=CHANNELS, model="scratch") as stream:
            async for frames in source:
                await stream.send(frames.values, timestamps_ns=frames.capture_times_ns)
                events += await stream.poll()
                if frames.first_frame + len(frames.values) == len(signal):
                    break
            await stream.end_input()
            events += [event async for event in stream]
        await sender
    return events


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with BackgroundServer() as server:
    events = asyncio.run(segmented(server.address, port))
found = Segmentation.from_items(events, rate=RATE, n_frames=len(signal))

# %%
# What was found, in colours; dotted is where the phone really went over to something else. The first segment has a
# label of its own: while it ran, nothing was known yet to compare it with.

figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
axes.plot(np.arange(len(signal)) / RATE, signal[:, 2], color="black", linewidth=0.4)
for segment in found.segments:
    axes.axvspan(segment.start_time_s, segment.end_time_s, color=f"C{segment.label}", alpha=0.3)
    axes.text(segment.start_time_s + 0.5, 17, f"{segment.label}", weight="bold")
for boundary in np.cumsum([seconds for seconds, _ in plan])[:-1]:
    axes.axvline(boundary, color="black", linestyle=":")
axes.set(xlabel="seconds", ylabel="az, m/s²", ylim=(2, 18.5))
plt.show()
