"""Importing the SDK must cost little: what serves or trains stays outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "onnxruntime", "onnx", "scipy", "sklearn", "river", "pydantic", "matplotlib", "rich", "typer")
OURS = ("kineseg_cli", "kineseg_core", "kineseg_service", "kineseg_training", "evaluation")


@pytest.mark.parametrize("statement", ["import kineseg", "import kineseg, kineseg.motion"])
def test_importing_the_sdk_pulls_in_nothing_heavy(statement: str) -> None:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "kineseg" in loaded
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {*HEAVY, *OURS}


def test_motion_is_imported_only_on_use() -> None:
    code = "import sys, kineseg\nprint('kineseg.motion' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_everything_that_is_promised_is_there() -> None:
    code = "from kineseg import *\nimport kineseg\nassert set(kineseg.__all__) <= set(dir())"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
