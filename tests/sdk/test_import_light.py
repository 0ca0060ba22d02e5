"""Importing the SDK must cost little: what serves or trains stays outside."""

from __future__ import annotations

import subprocess
import sys

import kineseg
import pytest

HEAVY = ("torch", "onnxruntime", "onnx", "scipy", "sklearn", "river", "pydantic", "matplotlib", "rich", "typer")
OURS = ("kineseg_cli", "kineseg_core", "kineseg_service", "kineseg_training", "evaluation")


@pytest.mark.parametrize("statement", ["from kineseg import *", "from kineseg import *\nimport kineseg.motion"])
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


def test_every_name_is_listed_and_no_other_is_there() -> None:
    assert set(kineseg.__all__) <= set(dir(kineseg))
    for name in kineseg.__all__:
        assert getattr(kineseg, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        kineseg.nonsense  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("module", ["kineseg.motion", "kineseg.sinks", "kineseg.v1.bundle_pb2"])
def test_what_needs_no_grpc_is_imported_without_it(module: str) -> None:
    code = f"import sys\nsys.modules['grpc'] = None\nimport {module}"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_the_client_does_need_grpc() -> None:
    code = "import sys\nsys.modules['grpc'] = None\nimport kineseg\nkineseg.Client"
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: import of grpc halted" in failed.stderr
