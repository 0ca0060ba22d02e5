"""MediaPipe Pose as a source: kineseg stream "exec:python -u mediapipe_pose.py --camera 0"

Prints a line of JSON for each picture in which somebody is seen: the world landmarks, in metres.
With mediapipe below 1.0 the model is in the package; newer ones want a file: --model pose_landmarker_full.task
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import mediapipe as mp

SIDES = ("left", "right")
NAMES = [
    "nose",
    *(f"{side}_eye{part}" for side in SIDES for part in ("_inner", "", "_outer")),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *(f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb") for side in SIDES),
    *(f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "heel", "foot_index") for side in SIDES),
]
SEEN = 0.5


def pictures(options: argparse.Namespace) -> Iterator[tuple[float, Any]]:
    """Seconds, and a picture in red, green and blue."""
    if options.picture:  # to try it without a camera
        picture = cv2.cvtColor(cv2.imread(options.picture), cv2.COLOR_BGR2RGB)
        for count in itertools.count():
            time.sleep(1 / 30)
            yield count / 30, picture
    video = cv2.VideoCapture(options.video or options.camera)
    rate = video.get(cv2.CAP_PROP_FPS) or 30.0
    for count in itertools.count():
        there, picture = video.read()
        if not there:
            return
        seconds = count / rate if options.video else time.monotonic()
        yield seconds, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def estimator(options: argparse.Namespace) -> Callable[[float, Any], Any]:
    """The landmarks of the first person in a picture, or None."""
    if not options.model:
        pose = mp.solutions.pose.Pose(model_complexity=1)

        def by_solution(seconds: float, picture: Any) -> Any:
            found = pose.process(picture).pose_world_landmarks
            return None if found is None else found.landmark

        return by_solution
    vision = mp.tasks.vision
    landmarker = vision.PoseLandmarker.create_from_options(
        vision.PoseLandmarkerOptions(
            base_options=mp.tasks.BaseOptions(model_asset_path=options.model), running_mode=vision.RunningMode.VIDEO
        )
    )

    def by_task(seconds: float, picture: Any) -> Any:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
        found = landmarker.detect_for_video(image, round(seconds * 1000)).pose_world_landmarks
        return found[0] if found else None

    return by_task


def main() -> None:
    """Print frames until there are no more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camera", type=int, default=0)
    parser.add_argument("--video")
    parser.add_argument("--picture")
    parser.add_argument("--model")
    options = parser.parse_args()
    estimate = estimator(options)
    print(json.dumps({"joints": NAMES, "up": "y", "unit": "m"}), flush=True)
    for seconds, picture in pictures(options):
        marks = estimate(seconds, picture)
        if marks is not None:
            # MediaPipe has y down and z away from the camera.
            points = [[mark.x, -mark.y, -mark.z] if mark.visibility > SEEN else None for mark in marks]
            print(json.dumps({"positions": points, "time": seconds}), flush=True)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(0)
