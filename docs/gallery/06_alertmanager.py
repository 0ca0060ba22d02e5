"""
An alert in Alertmanager
========================

Alerts belong where the others are. A relay follows the server and brings what is wrong with a stream to Prometheus'
Alertmanager: raised within moments, resolved when it is over. This one starts an Alertmanager of its own, if it is
installed (``apt-get install prometheus-alertmanager``).
"""

# %%

import asyncio
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import kineseg
import matplotlib.pyplot as plt
import numpy as np
from kineseg.motion import generate
from kineseg.sinks import Relay, SinkEvent, open_sink
from kineseg_service.server import BackgroundServer

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


@contextmanager
def alertmanager():
    """Its address, while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "alertmanager.yml")
        settings.write_text("route: {receiver: here}\nreceivers: [{name: here}]\n")
        options = [f"--config.file={settings}", f"--storage.path={folder}", f"--web.listen-address={address}"]
        program = subprocess.Popen([PROGRAM, *options, "--cluster.listen-address="], stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://{address}/-/ready")
                    break
                except OSError:
                    time.sleep(0.05)
            yield address
        finally:
            program.terminate()
            program.wait()


def alerts(address):
    """What is active there: a set of texts."""
    with urllib.request.urlopen(f"http://{address}/api/v2/alerts") as answer:
        return {alert["annotations"]["summary"] for alert in json.load(answer)}


# %%
# A sensor at the left wrist that stands still for eight seconds.

motion = generate(seed=6, rate=60, actions=("walk", "reach", "clap"), n_segments=5)
positions = np.array(motion.positions)
positions[900:1380, motion.joints.index("left_wrist")] = positions[900, motion.joints.index("left_wrist")]


async def watched(server, address):
    """Second by second, what Alertmanager had."""
    seen = []
    joints = kineseg.Joints.of(motion)
    sink = open_sink(f"alertmanager+http://{address}")
    async with (
        Relay([sink], path=None, say=print) as relay,
        kineseg.AsyncClient(server) as client,
        client.stream(rate=60, joints=joints, session_id="stage-left") as stream,
    ):
        for first in range(0, motion.n_frames, 60):
            await stream.send(positions[first : first + 60])
            await stream.flush()
            relay.take([SinkEvent(event.to_dict(), "stage-left") for event in await stream.poll()])
            while any(counts.waiting for counts in relay.counts.values()):  # noqa: ASYNC110 - until it is there
                await asyncio.sleep(0.01)
            seen.append((first / 60, await asyncio.to_thread(alerts, address)))
        await stream.end_input()
        relay.take([SinkEvent(event.to_dict(), "stage-left") async for event in stream])
    return seen


if PROGRAM is None:
    seen = []
    print("Alertmanager is not installed here: nothing to show")
else:
    with BackgroundServer() as server, alertmanager() as address:
        seen = asyncio.run(watched(server.address, address))

# %%

figure, axes = plt.subplots(figsize=(9, 2.2), layout="constrained")
axes.axvspan(15, 23, ymin=0.55, ymax=0.9, color="grey", alpha=0.5)
for second, texts in seen:
    if texts:
        axes.axvspan(second, second + 1, ymin=0.1, ymax=0.45, color="red")
axes.set(
    xlabel="seconds", xlim=(0, motion.n_frames / 60), ylim=(0, 1), yticks=[0.72, 0.27],
    yticklabels=["wrist stands still", "alert is active"], title="; ".join(sorted(set().union(*(t for _, t in seen)))),
)  # fmt: skip
plt.show()
