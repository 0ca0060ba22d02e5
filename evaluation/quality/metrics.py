"""The metrics that every release is measured by: a file beside the recordings, not a part of this project."""

from __future__ import annotations

import importlib.util
from functools import cache
from types import ModuleType

from evaluation.quality.places import eval_folder


@cache
def metrics_module() -> ModuleType:
    """The module of metrics.

    Raises:
        QualityError: It is not there; names the variable that says where it is.
    """
    spec = importlib.util.spec_from_file_location("kineseg_eval_metrics", eval_folder() / "metrics.py")
    assert spec is not None  # the file is there
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
