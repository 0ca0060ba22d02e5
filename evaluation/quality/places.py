"""Where the data and the metrics lie: beside the checkout, or where the environment says."""

from __future__ import annotations

import os
from pathlib import Path

from evaluation.quality.errors import QualityError

DATA_VARIABLE = "KINESEG_DATA"
EVAL_VARIABLE = "KINESEG_EVAL"
FACTS = "cmu86_dev.json"

_REPOSITORY = Path(__file__).resolve().parents[2]


def data_folder(*parts: str) -> Path:
    """The folder `parts` of the data.

    Raises:
        QualityError: It is not there; names the variable that says where it is.
    """
    return _existing(
        Path(os.environ.get(DATA_VARIABLE) or _REPOSITORY.parent / "shared" / "data").joinpath(*parts), DATA_VARIABLE
    )


def eval_folder() -> Path:
    """The folder with the metrics and the annotation of the takes.

    Raises:
        QualityError: It is not there; names the variable that says where it is.
    """
    folder = _existing(Path(os.environ.get(EVAL_VARIABLE) or _REPOSITORY.parent / "shared" / "eval"), EVAL_VARIABLE)
    for name in ("metrics.py", FACTS):
        if not (folder / name).is_file():
            raise QualityError(f"{folder}: has no {name}; set {EVAL_VARIABLE} to the folder that has it")
    return folder


def _existing(folder: Path, variable: str) -> Path:
    if not folder.is_dir():
        raise QualityError(f"{folder}: there is no such folder; set {variable} to where it lies")
    return folder
