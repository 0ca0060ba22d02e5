"""
Your own sink
=============

A sink is a class with a ``deliver``. Everything else is done for it: what waits is kept, what fails is tried again, and
one that is slow holds up no other. This one lights a lamp when something is wrong, and fails at first, as lamps do.
"""

# %%

import asyncio

import kineseg
import matplotlib.pyplot as plt
from kineseg.motion import generate, inject
from kineseg.sinks import Relay, SinkEvent, Terms
from kineseg_service.server import BackgroundServer


class Lamp:
    """Is on while there is an anomaly.

    In a package of its own with the entry point ``kineseg.sinks``, ``lamp = "my_package:Lamp"``, it is ``--sink lamp:``
    on the command line.
    """

    linger_s = 0.0
    where = "the lamp over the door"

    def __init__(self):
        self.terms = Terms(name="lamp", batch=1, kinds=frozenset({"anomaly", "anomaly_cleared"}))
        self.on, self.history, self.tries = set(), [], 0

    async def deliver(self, events):
        """Returns when the lamp is as the events say; what it raises is tried again."""
        self.tries += 1
        if self.tries == 1:
            raise OSError("the plug was out")
        for event in events:
            change = self.on.add if event.kind == "anomaly" else self.on.discard
            change(event.values["anomaly_id"])
            self.history.append((event.values["decided_time_s"], bool(self.on), event.values["text"]))

    async def close(self):
        """Nothing to let go of."""


# %%
# A stream with two faults of a sensor in it, and a relay from its events to the lamp.

motion = generate(seed=2, rate=60, actions=("walk", "wave", "squat"), n_segments=6)
motion = inject(motion, "frozen", start_s=14, duration_s=3, seed=1)
motion = inject(motion, "frozen", start_s=26, duration_s=4, seed=2)


async def lit(address):
    """The lamp, after the stream."""
    lamp = Lamp()
    async with (
        Relay([lamp], path=None, say=print, grace_s=60) as relay,
        kineseg.AsyncClient(address) as client,
        client.stream(rate=60, joints=kineseg.Joints.of(motion)) as stream,
    ):
        for first in range(0, motion.n_frames, 6):
            await stream.send(motion.positions[first : first + 6])
            relay.take([SinkEvent(event.to_dict(), "stage") for event in await stream.poll()])
        await stream.end_input()
        relay.take([SinkEvent(event.to_dict(), "stage") async for event in stream])
    return lamp


with BackgroundServer() as server:
    lamp = asyncio.run(lit(server.address))
for second, on, text in lamp.history:
    print(f"{second:4.1f} s: {'on ' if on else 'off'} ({text})")

# %%

figure, axes = plt.subplots(figsize=(9, 1.8), layout="constrained")
for fault in motion.faults:
    axes.axvspan(fault.start / 60, fault.stop / 60, ymin=0.55, ymax=0.9, color="grey", alpha=0.6)
times = [0, *(second for second, _, _ in lamp.history), motion.n_frames / 60]
states = [False, *(on for _, on, _ in lamp.history)]
for begin, end, on in zip(times, times[1:], states, strict=False):
    axes.axvspan(begin, end, ymin=0.1, ymax=0.45, color="gold" if on else "black", alpha=1 if on else 0.1)
axes.set(xlabel="seconds", xlim=(0, times[-1]), ylim=(0, 1), yticks=[0.72, 0.27], yticklabels=["fault", "lamp"])
plt.show()
