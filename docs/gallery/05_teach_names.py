"""
Teach names
===========

A label is a number until somebody says what it is called. One example is enough, and from then on every stream of the
server has the name.
"""

# %%
# One person shows what there is; each segment is taught once, with the name of what was done.

import tempfile
from pathlib import Path

import kineseg
import matplotlib.pyplot as plt
import numpy as np
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

ACTIONS = ("walk", "squat", "wave", "jumping_jacks")
teacher = generate(seed=3, rate=60, actions=ACTIONS, n_segments=6, min_segment_s=5)
other = generate(seed=11, rate=60, actions=ACTIONS, n_segments=7, min_segment_s=5)


def done_at(motion, frame):
    """What the invented person does then."""
    return motion.truth.names[np.searchsorted(motion.truth.boundaries, frame, side="right") - 1]


with tempfile.TemporaryDirectory() as folder:
    settings = Settings(port=0, metrics_port=None, label_bank=Path(folder, "names.json"))
    with BackgroundServer(settings) as server, kineseg.Client(server.address) as client:
        taught = set()
        for segment in client.segment(teacher).segments:
            name = done_at(teacher, (segment.start_frame + segment.end_frame) // 2)
            if name not in taught:
                client.teach_name(name, example=segment)
                taught.add(name)
        # Another person, of another build, in another order.
        found = client.segment(other)

# %%

figure, axes = plt.subplots(figsize=(9, 2.4), layout="constrained")
for segment in found.segments:
    axes.axvspan(segment.start_time_s, segment.end_time_s, ymin=0.55, color=f"C{segment.label}", alpha=0.6)
    middle = (segment.start_time_s + segment.end_time_s) / 2
    text = f"{segment.name}\n{segment.name_confidence:.0%}" if segment.name else "unknown"
    axes.text(middle, 0.77, text, ha="center", va="center", fontsize=8)
for start, end, name in zip(
    other.truth.boundaries, [*other.truth.boundaries[1:], other.n_frames], other.truth.names, strict=True
):
    axes.axvspan(start / 60, end / 60, ymax=0.45, color="lightgrey", ec="white")
    axes.text((start + end) / 120, 0.22, name, ha="center", va="center", fontsize=8)
axes.set(xlabel="seconds", yticks=[0.77, 0.25], yticklabels=["named", "done"], ylim=(0, 1))
plt.show()
