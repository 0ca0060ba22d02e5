"""The folders of the data, filled with recordings of our own: enough of everything for the tests, and no more."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from kineseg.motion.cmu_skeleton import CMU_SKELETON

from tests.recordings import bvh, cmu

# By the name of the data's action: the generator's, and the frames of each clip at 120 a second. Running is over soon.
_TRAIN = {
    "basketball": ("arm_circles", (420, 380, 300, 340, 360)),
    "basketball_signal": ("wave", (600, 640, 560, 600, 580)),
    "directing_traffic": ("clap", (900, 800)),
    "jumping": ("jump", (300, 480, 310, 280, 290)),
    "running": ("run", (168, 190, 163, 166, 151)),
    "soccer": ("kick", (560, 420, 340, 400, 380)),
    "walking": ("walk", (344, 420, 380, 317, 330)),
    "walking_extra": ("walk", (310, 354, 284, 294)),
}
_TEST = {
    "basketball": ("arm_circles", 420),
    "jumping": ("jump", 600),
    "running": ("run", 163),
    "soccer": ("kick", 480),
    "walking": ("walk", 359),
    "washwindow": ("reach", 1200),
}
_TAKES: dict[str, cmu.Plan] = {
    "01": (
        ("walking", "walk", 560), ("jump_forward", "jump", 600), ("walking", "walk", 800), ("punching", "punch", 500),
        ("walking", "walk", 700), ("leg_kicking", "kick", 750), ("punching", "punch", 500),
    ),
    "03": (
        ("walk", "walk", 900), ("run", "run", 800), ("squatting", "squat", 700), ("walk", "walk", 900),
        ("leg_kick", "kick", 900), ("arm_circling", "arm_circles", 800), ("walking", "walk", 900),
    ),
    "05": (("walk", "walk", 700), ("jumping_jacks", "jumping_jacks", 700), ("punch", "punch", 700)),
    "07": (("walk", "walk", 700), ("rotate_body", "turn", 700), ("walk", "walk", 700)),
    "09": (("walking", "walk", 700), ("sitting", "sit", 700), ("clapping", "clap", 700)),
    "11": (("walking", "walk", 700), ("arms_rotations", "arm_circles", 700), ("walking", "walk", 700)),
}  # fmt: skip
# By content: the generator's action, how many takes of each style there are, and the course from where the body faces.
_CONTENTS = {
    "bow": ("bow", {"normal": 1, "tired": 1, "happy": 1}, 0.0),
    "bye": ("wave", {"normal": 1, "tired": 1, "happy": 1}, 0.0),
    "call": ("reach", {"normal": 2}, 0.0),
    "dance-short": ("jumping_jacks", {"normal": 1}, 0.0),
    "dash": ("run", {"normal": 1, "tired": 1, "happy": 1}, 0.0),
    "kick": ("kick", {"normal": 1}, 0.0),
    "punch": ("punch", {"normal": 2}, 0.0),
    "run": ("run", {"normal": 1, "tired": 1, "happy": 1}, 0.0),
    "walk": ("walk", {"normal": 2, "tired": 2, "happy": 2}, 0.0),
    "walk-back": ("walk", {"normal": 1, "tired": 1, "happy": 1}, 180.0),
    "walk-left": ("walk", {"normal": 1, "tired": 1, "happy": 1}, 90.0),
    "walk-right": ("walk", {"normal": 1, "tired": 1, "happy": 1}, -90.0),
}


def write_cmu(folder: Path) -> Path:
    """Clips of single actions, annotated takes, and the skeleton, as the CMU releases have them."""
    for number, (action, (kind, lengths)) in enumerate(_TRAIN.items()):
        first, stem = (13, "walking") if action == "walking_extra" else (1, action)
        for take, length in enumerate(lengths):
            path = folder / "train" / action / f"{stem}_{first + take}.txt"
            cmu.write_clip(path, kind, length, 100 * number + take)
    for number, (action, (kind, length)) in enumerate(_TEST.items()):
        cmu.write_clip(folder / "test" / action / f"{action}_1.txt", kind, length, 1000 + number)
    for name, plan in _TAKES.items():
        cmu.write_take(folder / "subject_86" / f"{name}.mat", plan, 2000 + 10 * int(name))
    joints = [
        {"name": name, "parent": parent, "offset": offset}
        for name, parent, offset in zip(
            CMU_SKELETON.names, CMU_SKELETON.parents, CMU_SKELETON.offsets.tolist(), strict=True
        )
    ]
    (folder / "skeleton.json").write_text(json.dumps({"units": "CMU database units", "joints": joints}))
    return folder


def write_bvh(folder: Path) -> Path:
    """Clips named ``dataset-1_<content>_<style>_<take>.bvh``."""
    seed = 3000
    for content, (kind, styles, course) in _CONTENTS.items():
        for style, takes in styles.items():
            for take in range(1, takes + 1):
                seed += 1
                path = folder / f"dataset-1_{content}_{style}_{take:03d}.bvh"
                bvh.write_clip(path, kind, 150 + 10 * take, seed, course)
    return folder


def write_series(folder: Path) -> Path:
    """Series of one sensor whose period changes, with the change points, as the TSSB has them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tssb_dev.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "window_size", "change_points", "time_series"])
        for number, periods in enumerate(((20, 9), (12, 30, 12), (25, 10, 40, 16))):
            rng = np.random.default_rng(4000 + number)
            phase = np.cumsum(np.concatenate([np.full(400, 2 * np.pi / period) for period in periods]))
            values = np.sin(phase) + 0.05 * rng.standard_normal(len(phase))
            cuts = list(range(400, len(phase), 400))
            rows.writerow([f"Made{number}", periods[0], json.dumps(cuts), json.dumps(values.round(6).tolist())])
    return folder
