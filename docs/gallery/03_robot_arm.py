"""
A robot arm's cycle, and its failure
====================================

Six angles of an arm that picks, carries and places, again and again, until a joint begins to stick. There is no model
of robots: ``scratch`` learns the cycle, and the watch over every stream says what is wrong, with which axis.
"""

# %%
# The arm: between four postures, with a little noise, as a controller reports them.

import kineseg
import matplotlib.pyplot as plt
import numpy as np
from kineseg_service.server import BackgroundServer

RATE = 30
AXES = [f"axis {i}" for i in range(1, 7)]
random = np.random.default_rng(2)
postures = random.uniform(-90, 90, (4, 6))


def cycle():
    """Moves of two seconds, and a second or so at each posture: degrees, a row a frame."""
    rows = []
    for here, there in zip(postures, np.roll(postures, -1, axis=0), strict=True):
        ease = (1 - np.cos(np.linspace(0, np.pi, 2 * RATE)))[:, None] / 2
        rows += [here + (there - here) * ease, np.repeat(there[None], random.integers(25, 35), axis=0)]
    return np.concatenate(rows)


angles = np.concatenate([cycle() for _ in range(16)])
angles += random.normal(0, 0.2, angles.shape)
fails = round(0.8 * len(angles))
angles[fails : fails + 8 * RATE, 3] = angles[fails, 3]  # axis 4 sticks

# %%
# As it would be on a line: frames go in, alerts come out.

with (
    BackgroundServer() as server,
    kineseg.Client(server.address) as client,
    client.stream(rate=RATE, channels=AXES, model="scratch") as stream,
):
    for first in range(0, len(angles), 6):
        stream.send(angles[first : first + 6])
    stream.end_input()
    events = list(stream)
for event in events:
    if isinstance(event, kineseg.AnomalyRaised):
        print(f"{event.decided_time_s:.1f} s: {event.text}")
found = kineseg.Segmentation.from_items(events, rate=RATE, n_frames=len(angles))

# %%
# A minute around the failure: the angles, what was found, and the alert in red.

figure, axes = plt.subplots(figsize=(9, 3.6), layout="constrained")
axes.plot(np.arange(len(angles)) / RATE, angles, linewidth=0.8)
for segment in found.segments:
    axes.axvspan(segment.start_time_s, segment.end_time_s, color=f"C{segment.label % 10}", alpha=0.15)
for event in events:
    if isinstance(event, kineseg.AnomalyCleared):
        axes.axvspan(event.time_s, event.end_time_s, ymin=0.94, color="red")
        axes.set_title(event.text, color="red")
axes.set(xlim=(fails / RATE - 30, fails / RATE + 30), xlabel="seconds", ylabel="degrees")
plt.show()
