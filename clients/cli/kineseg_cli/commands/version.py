"""`kineseg version`: what is installed."""

from __future__ import annotations

import os
import platform
import sys

from kineseg import __version__


def version() -> None:
    """Show the version of kineseg and of what it runs on."""
    import grpc
    import onnxruntime

    print(f"kineseg {__version__}")
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    print(f"grpcio {grpc.__version__}")
    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    print(f"ONNX Runtime {onnxruntime.__version__}: {providers}")
    sys.stdout.flush()
