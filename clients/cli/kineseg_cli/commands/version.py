"""`kineseg version`: what is installed."""

from __future__ import annotations

import os
import platform
import sys
from importlib.util import find_spec

from kineseg import __version__


def version() -> None:
    """Show the version of kineseg and of what it runs on."""
    import grpc

    print(f"kineseg {__version__}")
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    print(f"grpcio {grpc.__version__}")
    print(f"ONNX Runtime {_onnx_runtime()}")
    sys.stdout.flush()


def _onnx_runtime() -> str:
    """Its version and what it can run on."""
    if find_spec("onnxruntime") is None:
        return "not installed"
    import onnxruntime

    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    return f"{onnxruntime.__version__}: {providers}"
