"""
Search an archive
=================

``kineseg batch`` segments thousands of recordings into one Parquet file. Each segment comes with a point in the model's
space, near to those of segments that are alike, in whichever file: *show me more of this*.
"""

# %%
# An archive of eight takes, in files, and the command.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow.parquet as pq
from kineseg.motion import generate
from kineseg_service.server import BackgroundServer

folder = Path(tempfile.mkdtemp())
takes = {}
for seed in range(8):
    motion = generate(seed=seed, rate=30, actions=("walk", "kick", "bow", "clap"), n_segments=4)
    name = str(folder / f"take_{seed}.npz")
    np.savez(name, positions=motion.positions, rate=motion.rate, joints=np.array(motion.joints))
    takes[name] = motion

with BackgroundServer() as server:
    command = [sys.executable, "-m", "kineseg_cli", "batch", f"{folder}/*.npz", "--out", f"{folder}/segments.parquet"]
    subprocess.run([*command, "--server", server.address, "--workers", "1"], check=True)

# %%
# All segments, and the six that are nearest to the first kick of the archive.

table = pq.read_table(folder / "segments.parquet").to_pylist()
points = np.array([row["embedding"] for row in table])


def done_in(row):
    """What the invented person does in the middle of a segment."""
    truth = takes[row["file"]].truth
    middle = (row["start_frame"] + row["end_frame"]) // 2
    return truth.names[np.searchsorted(truth.boundaries, middle, side="right") - 1]


wanted = next(i for i, row in enumerate(table) if done_in(row) == "kick")
far = np.linalg.norm(points - points[wanted], axis=1)
nearest = np.argsort(far)[:6]
for i in nearest:
    row = table[i]
    print(f"{Path(row['file']).name}, {row['start_time_s']:4.1f} s: {done_in(row)}, {far[i]:.2f} away")

# %%

figure, all_axes = plt.subplots(1, 6, figsize=(9, 2.4), layout="constrained", sharey=True)
for axes, i in zip(all_axes, nearest, strict=True):
    row, motion = table[i], takes[table[i]["file"]]
    for frame in np.linspace(row["start_frame"] + 15, row["end_frame"] - 15, 8).astype(int):
        body = motion.positions[frame] - motion.positions[frame, 0] * [1, 0, 1]
        for joint, parent in enumerate(motion.skeleton.parents):
            if parent >= 0:
                axes.plot(*body[[joint, parent]][:, [2, 1]].T, color="C0", alpha=0.4)
    axes.set(title=f"{Path(row['file']).stem}\n{far[i]:.2f}", xticks=[], aspect="equal", xlim=(-1, 1))
plt.show()
