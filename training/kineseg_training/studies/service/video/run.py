"""The experiment: a piece of a take of subject 86 as the service segments it, as mp4, gif and still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from kineseg.motion import read

from kineseg_training.default import recipe
from kineseg_training.errors import DataError
from kineseg_training.studies.exhibit import Exhibit, Picture, Preset, RunContext
from kineseg_training.studies.service.video.frames import Scene, Shot
from kineseg_training.studies.service.video.scenes import served, service
from kineseg_training.studies.service.video.write import still, write_video

TAKE = "03"
MP4, GIF, STILL = "segmented.mp4", "segmented.gif", "segmented.png"
_PIECE = Shot(7.0, 21.0)


@dataclass(frozen=True)
class VideoPlan:
    """What is shown of the take.

    Attributes:
        frames: How many of its frames are streamed; None: all.
        film: The mp4.
        small: The gif.
        still_s: The moment of the still.
    """

    frames: int | None
    film: Shot
    small: Shot
    still_s: float


PLANS: Mapping[Preset, VideoPlan] = {
    "full": VideoPlan(None, Shot(), replace(_PIECE, fps=10, width=640, height=360), 18.0),
    "small": VideoPlan(None, _PIECE, replace(_PIECE, fps=10, width=640, height=360), 18.0),
    "tiny": VideoPlan(
        1500, Shot(9.0, 9.5, fps=10, width=480, height=270), Shot(9.0, 9.5, fps=5, width=320, height=180), 9.2
    ),
}


def example(context: RunContext, *, command: str = "") -> Exhibit:
    """Stream take 86_03 through a real server with the shipped bundle, and draw what it answered.

    Raises:
        DataError: The take is not there.
        EvaluationError: The server did not start or failed.
    """
    path = context.needs_cmu() / "subject_86" / f"{TAKE}.mat"
    if not path.is_file():
        raise DataError(f"{path}: there is no such take")
    plan = PLANS[context.preset]
    recording = read(path).slice(0, plan.frames)
    with service(None, recipe.shipped_bundle()) as address:
        scene = replace(served(recording, address), title=f"CMU subject 86, take {TAKE}")
    for name, shot in ((MP4, plan.film), (GIF, plan.small)):
        write_video(scene, context.out / name, shot, progress=context.progress)
    still(scene, context.out / STILL, plan.film, plan.still_s)
    right = _right(scene)
    about = (
        "On the left the body, in the colour of the label that its frame was given, on a floor on which the camera "
        "follows it, with the way it came. On the right the service's embedding on its first two principal components: "
        "grey, the whole take; coloured, what was shown so far; the line, the last two seconds. Below, the segments "
        "found and the annotation, which was never sent; what is still to come is pale. A ring and the line from it "
        "say where a boundary is and when it was certain."
    )
    return Exhibit(
        title="A take as the service segments it while it streams",
        paper="kineseg",
        command=command or f"kineseg-train video example OUT --preset {context.preset}",
        findings=(
            f"Take {TAKE} of subject 86 ({scene.times[-1]:.0f} s) was streamed through the service with its shipped "
            f"bundle, which knew neither the take nor its number of actions: {len(set(scene.predicted.tolist()))} "
            f"labels were found, and {right:.0%} of the frames are right under the best one-to-one naming. "
            f"{scene.share:.0%} of the variance of the embedding lies in the plane that is drawn.",
        ),
        agreement="not compared",
        verdict="A picture of the service at work; the papers make no claim about it.",
        pictures=(Picture(GIF, about), Picture(MP4, about), Picture(STILL, f"One moment of the video. {about}")),
        figures={"mof": right, "plane_variance": scene.share},
    )


def _right(scene: Scene) -> float:
    """Share of frames whose label is matched to their class."""
    assert scene.truth is not None  # the take is annotated
    return float(np.mean([scene.key.match.get(int(p)) == t for p, t in zip(scene.predicted, scene.truth, strict=True)]))
