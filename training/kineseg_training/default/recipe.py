"""The recipe of the bundle that the service ships: its data, its settings, its words."""

from __future__ import annotations

from pathlib import Path

from kineseg_training.data import Corpus, Source, load_corpus
from kineseg_training.default.export import ExportSettings
from kineseg_training.default.task import FitSettings
from kineseg_training.errors import DataError
from kineseg_training.export.metric import MetricSettings

# Where the service looks for the bundle that it ships, from the root of the checkout.
SHIPPED = Path("service/kineseg_core/bundles/default")

# Every clip begins with one frame of a calibration pose.
CALIBRATION_FRAMES = 1

# Few epochs over a learning rate that falls to almost nothing: with longer runs the takes in training are predicted
# better and better, takes of other actions no longer. More units did not help either.
FIT = FitSettings(hidden=128, epochs=12, patience=12, one_step_weight=20.0, weight_decay=0.1)

# The embedding that measured best behind the service's segmenter: with the state of the cell, trained or not, in it,
# actions came apart less well than from posture and speed alone.
EXPORT = ExportSettings(
    name="motion",
    version="1.0.0",
    blocks=("pose", "speed"),
    metric=MetricSettings(dimensions=32, regularisation=0.1),
    description=(
        "Single-action clips (walking, running, jumping, soccer, basketball, basketball signals, directing traffic) of "
        "the Carnegie Mellon University Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, 120 frames a second, "
        "as canonical pose. No take of its subject 86 was used. The database is free for all uses and may be included "
        "in commercial products; it may not be resold directly, even in converted form."
    ),
    licence=(
        "Apache-2.0. The data used in this project was obtained from mocap.cs.cmu.edu. "
        "The database was created with funding from NSF EIA-0196217."
    ),
    limits=(
        "Seven and a half minutes of motion by few people, most takes of it walking: the predictor knows little else "
        "well, and surprise is high on motion of other kinds. The embedding carries further than the prediction does, "
        "since it is made of posture and speed and not of what the cell remembers.",
        "The held-out takes were not trained on, but a few settings of the training (its length, the units, the weight "
        "of the next frame) were chosen with a view of the error on them.",
        "It looks at one body as a skeleton: no hands, face, objects or second person, and nothing of where in the "
        "room or which way somebody faces.",
        "Motions that share posture and speed (dribbling with one hand or two) lie close together.",
        "Not made for decisions about a person's health, and never tested for them.",
    ),
)


def shipped_bundle() -> Path:
    """The bundle that the service ships, in the checkout that this file lies in.

    Raises:
        DataError: There is none: kineseg was installed without its checkout.
    """
    for parent in Path(__file__).resolve().parents:
        if (parent / SHIPPED / "manifest.json").is_file():
            return parent / SHIPPED
    raise DataError(f"there is no {SHIPPED} here; run in a checkout")


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
