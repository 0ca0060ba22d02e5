"""The recipe of the bundle that the service ships: its data, its settings, its words."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kineseg.motion.synthetic import ACTIONS

from kineseg_training.data import Corpus, Source, generated_actions, load_corpus
from kineseg_training.errors import DataError
from kineseg_training.export import ExportSettings
from kineseg_training.fit import FitSettings
from kineseg_training.metric import MetricSettings

# Where the service looks for the bundle that it ships, from the root of the checkout.
SHIPPED = Path("service/kineseg_service/bundles/default")

# Every clip begins with one frame of a calibration pose.
CALIBRATION_FRAMES = 1

# Few epochs over a learning rate that falls to almost nothing: with longer runs the takes in training are predicted
# better and better, takes of other actions no longer. More units did not help either.
FIT = FitSettings(hidden=128, epochs=12, patience=12, one_step_weight=20.0, weight_decay=0.1)

# Generated kinds of action that the metric is not learned from, so that there are some to judge it by.
UNSEEN_KINDS = ("arm_circles", "bow", "jumping_jacks", "squat", "wave")
SEEN_KINDS = tuple(kind for kind in ACTIONS if kind not in UNSEEN_KINDS)
GENERATED_MINUTES = 20

# The embedding that measured best behind the service's segmenter on streams that it was not learned from
# (docs/embedding.md). The state of the cell beside posture and speed, trained or not, does not help there.
EXPORT = ExportSettings(
    name="motion",
    version="1.1.0",
    blocks=("pose", "speed"),
    metric=MetricSettings(dimensions=32, regularisation=0.3),
    description=(
        "Single-action clips (walking, running, jumping, soccer, basketball, basketball signals, directing traffic) of "
        "the Carnegie Mellon University Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, 120 frames a second, "
        "as canonical pose. No take of its subject 86 was used. The database is free for all uses and may be included "
        "in commercial products; it may not be resold directly, even in converted form. "
        "The metric of the embedding alone learned from more, which is not counted below: the held-out takes and "
        f"{GENERATED_MINUTES} minutes of motion by the project's own generator ({', '.join(SEEN_KINDS)})."
    ),
    licence=(
        "Apache-2.0. The data used in this project was obtained from mocap.cs.cmu.edu. "
        "The database was created with funding from NSF EIA-0196217."
    ),
    limits=(
        "Seven and a half minutes of motion by few people, most takes of it walking: the predictor knows little else "
        "well, and surprise is high on motion of other kinds. The embedding carries further than the prediction does, "
        "since it is made of posture and speed and not of what the cell remembers.",
        "The predictor was not trained on the held-out takes, but a few settings of its training (its length, the "
        "units, the weight of the next frame) were chosen with a view of the error on them.",
        "It looks at one body as a skeleton: no hands, face, objects or second person, and nothing of where in the "
        "room or which way somebody faces.",
        "Motions that share posture and speed (dribbling with one hand or two) lie close together.",
        "Not made for decisions about a person's health, and never tested for them.",
    ),
)


def metric_corpus(held_out: Corpus) -> Corpus:
    """What the metric of the shipped bundle learns from beside the training takes: all that the predictor does not.

    Nothing that is said of the predictor rests on the metric, so the takes that are held out from it can be used.
    """
    generated = generated_actions(GENERATED_MINUTES, SEEN_KINDS)
    fingerprint = hashlib.sha256(f"{held_out.fingerprint} {generated.fingerprint}".encode()).hexdigest()
    return Corpus(held_out.clips + generated.clips, generated.channels, fingerprint, held_out.source)


def default_corpora(folder: Path) -> tuple[Corpus, Corpus]:
    """(training, held-out) takes of the CMU clips in `folder`, which has ``train`` and ``test``.

    Subject 86 lies beside those two folders and is not read.

    Raises:
        DataError: They are not there.
    """
    for part in ("train", "test"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder}: has no folder '{part}'; --data must name the folder of the CMU clips")
    training, held_out = (
        load_corpus(Source((folder / part,), skip_first=CALIBRATION_FRAMES)) for part in ("train", "test")
    )
    return training, held_out
