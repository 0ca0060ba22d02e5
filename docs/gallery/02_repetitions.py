"""
Count the repetitions of an exercise
====================================

Segments say what is done and from when to when; how often it is done in each is then a matter of counting peaks.
"""

# %%
# A minute of an invented person at training.

import kineseg
import matplotlib.pyplot as plt
import numpy as np
from kineseg.motion import generate
from kineseg_service.server import BackgroundServer
from scipy.signal import find_peaks

motion = generate(seed=4, rate=60, actions=("squat", "jumping_jacks", "walk"), n_segments=7, min_segment_s=7)
hands = motion.positions[:, [motion.joints.index("left_wrist"), motion.joints.index("right_wrist")], 1].mean(axis=1)
hips = motion.positions[:, motion.joints.index("hips"), 1]

# %%
# A segment is closed while the next one goes on. Then its repetitions are counted: how often the hips go down in it, or
# the hands up. Walking has none.


def repetitions(segment):
    """The frames in which hips or hands, whichever move more, are farthest from where the segment began."""
    rows = slice(segment.start_frame, segment.end_frame)
    line = max((hips[rows], hands[rows]), key=np.std)
    away = np.pad(np.abs(line - line[0]), 1)  # so that the last one counts, even if it is cut off on its way back
    peaks, _ = find_peaks(away, prominence=0.2, distance=20)
    return rows.start + peaks - 1


counted = []
with (
    BackgroundServer() as server,
    kineseg.Client(server.address) as client,
    client.stream(rate=60, joints=kineseg.Joints.of(motion), decisions="final") as stream,
):
    for first in range(0, motion.n_frames, 6):
        stream.send(motion.positions[first : first + 6])
    stream.end_input()
    for event in stream:
        if isinstance(event, kineseg.SegmentClosed):
            counted.append((event, repetitions(event)))
            print(f"{event.end_time_s:5.1f} s: label {event.label}, {len(counted[-1][1])} repetitions")

# %%

figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
times = motion.times()
axes.plot(times, hips, color="black", linewidth=0.7, label="hips")
axes.plot(times, hands, color="grey", linewidth=0.7, label="hands")
for segment, peaks in counted:
    axes.axvspan(segment.start_time_s, segment.end_time_s, color=f"C{segment.label}", alpha=0.25)
    axes.text(segment.start_time_s + 0.3, 2.25, f"{len(peaks)}×", weight="bold")
    line = max((hips, hands), key=lambda line: np.std(line[segment.start_frame : segment.end_frame]))
    axes.plot(times[peaks], line[peaks], "v", color=f"C{segment.label}")
axes.set(xlabel="seconds", ylabel="height, m", ylim=(None, 2.5))
axes.legend(loc="lower right")
plt.show()
