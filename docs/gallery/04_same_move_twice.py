"""
Find the same dance move twice
==============================

No one has said how many moves there are, or what they look like. A label is a number that stands for one of them: where
it comes again, the move did.
"""

# %%
# A dance of ten moves, some of them again later, in another tempo and size.

import kineseg
import matplotlib.pyplot as plt
import numpy as np
from kineseg.motion import generate
from kineseg_service.server import BackgroundServer

MOVES = ("jumping_jacks", "kick", "arm_circles", "turn", "bow")
dance = generate(seed=13, rate=60, actions=MOVES, n_segments=9, min_segment_s=4.5, max_segment_s=6)

with BackgroundServer() as server, kineseg.Client(server.address) as client:
    found = client.segment(dance)

# %%
# How probable it is that a segment repeats one before it comes with each; equal labels are the same move.

for segment in found.segments:
    print(
        f"{segment.start_time_s:5.1f} s to {segment.end_time_s:5.1f} s: move {segment.label}, "
        f"seen before with probability {segment.repeat_probability:.2f}"
    )

# %%
# Where each segment is least like its own mean, the body; and an arc between what is the same.

figure, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
parents = dance.skeleton.parents
for segment in found.segments:
    bodies = dance.positions[segment.start_frame : segment.end_frame]
    bodies = bodies - bodies[:, :1] * [1, 0, 1]
    body = bodies[np.argmax(np.linalg.norm(bodies - bodies.mean(axis=0), axis=(1, 2)))]
    x, y = body[:, 0] * 2 + (segment.start_time_s + segment.end_time_s) / 2, body[:, 1]
    for joint, parent in enumerate(parents):
        if parent >= 0:
            axes.plot([x[joint], x[parent]], [y[joint], y[parent]], color=f"C{segment.label}", linewidth=2)
    axes.axvspan(segment.start_time_s, segment.end_time_s, ymax=0.06, color=f"C{segment.label}")
last = {}
for segment in found.segments:
    middle = (segment.start_time_s + segment.end_time_s) / 2
    if segment.label in last:
        arc = np.linspace(0, np.pi, 50)
        centre, half = (middle + last[segment.label]) / 2, (middle - last[segment.label]) / 2
        axes.plot(centre - half * np.cos(arc), 2.1 + half / 25 * np.sin(arc), color=f"C{segment.label}")
    last[segment.label] = middle
axes.set(xlabel="seconds", yticks=[], ylim=(-0.4, 3.4))
plt.show()
