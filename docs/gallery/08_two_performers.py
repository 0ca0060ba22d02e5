"""
Compare two performers
======================

Two people do the same exercises, each in an order and a way of their own. Their streams share one call, and what they
did is compared by points in the model's space: who did what when, and how long each took.
"""

# %%

import kineseg
import matplotlib.pyplot as plt
import numpy as np
from kineseg.motion import generate
from kineseg_service.server import BackgroundServer

ACTIONS = ("squat", "arm_circles", "punch", "jumping_jacks")
performers = {
    "Ada": generate(seed=21, rate=60, actions=ACTIONS, n_segments=6, min_segment_s=5),
    "Ben": generate(seed=34, rate=60, actions=ACTIONS, n_segments=6, min_segment_s=5),
}
segments = {name: [] for name in performers}

with BackgroundServer() as server, kineseg.Client(server.address) as client, client.streams() as many:
    streams = {
        many.open(rate=60, joints=kineseg.Joints.of(motion), session_id=name): motion
        for name, motion in performers.items()
    }
    for first in range(0, max(motion.n_frames for motion in performers.values()), 30):
        chunks = {stream: motion.positions[first : first + 30] for stream, motion in streams.items()}
        many.send({stream: chunk for stream, chunk in chunks.items() if len(chunk)})
    many.end_input()
    for stream, event in many:
        if isinstance(event, kineseg.SegmentClosed):
            segments[stream.session_id].append(event)

# %%
# Each of Ada's segments, and the one of Ben's that is most like it.

ada, ben = segments.values()
far = np.linalg.norm(
    np.array([segment.embedding for segment in ada])[:, None] - [segment.embedding for segment in ben], axis=2
)
for segment, row in zip(ada, far, strict=True):
    like = ben[int(np.argmin(row))]
    print(
        f"Ada at {segment.start_time_s:4.1f} s as Ben at {like.start_time_s:4.1f} s ({row.min():.2f} away), "
        f"{segment.end_time_s - segment.start_time_s:.1f} s long, his {like.end_time_s - like.start_time_s:.1f} s"
    )

# %%
# The whole comparison: dark is alike.

figure, axes = plt.subplots(figsize=(5.5, 4.2), layout="constrained")
image = axes.imshow(far, cmap="viridis")
axes.set_xticks(range(len(ben)), [f"{segment.start_time_s:.0f} s" for segment in ben])
axes.set_yticks(range(len(ada)), [f"{segment.start_time_s:.0f} s" for segment in ada])
axes.set(xlabel="Ben", ylabel="Ada")
figure.colorbar(image, label="distance")
plt.show()
