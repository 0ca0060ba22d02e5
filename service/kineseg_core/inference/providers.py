"""Where ONNX Runtime runs: CUDA when there is a device that works, else the CPU."""

from __future__ import annotations

import ctypes
from typing import Literal

import onnxruntime as ort

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
DRIVER = "libcuda.so.1"
# Products of matrices in full single precision. ONNX Runtime's own choice, TF32, keeps 10 bits of a factor: results
# are off by a thousandth, and a recurrent state carries that on.
CUDA_OPTIONS = {"use_tf32": "0"}
_ERRORS = 3  # ONNX Runtime's severity of those
# Earlier ones replay copies from memory that something else may have been written to since, as it is between batches of
# several sizes: https://github.com/microsoft/onnxruntime/pull/32121
CAPTURES = tuple(int(part) for part in ort.__version__.split(".")[:2]) >= (1, 31)
"""Whether this ONNX Runtime captures and replays runs rightly."""
Wanted = Literal["auto", "cuda", "cpu"]


def cuda_problem() -> str:
    """Why CUDA cannot be used on this machine; empty when nothing speaks against it.

    ONNX Runtime built for CUDA offers CUDA on every machine and fails loudly later, hence the look at the driver.
    """
    if CUDA not in ort.get_available_providers():
        return "this build of ONNX Runtime has no CUDA"
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return f"there is no NVIDIA driver ({DRIVER})"
    devices = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(devices)) != 0 or devices.value == 0:
        return "the NVIDIA driver finds no device"
    return ""


def session_options(threads: int) -> ort.SessionOptions:
    """Options of every session: few threads, no spinning (idle streams shall cost nothing), quiet."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS
    return options


def open_cuda(graph: bytes, *, captured: bool = False) -> ort.InferenceSession:
    """Opens a graph on CUDA.

    Args:
        graph: The graph.
        captured: Whether runs are captured and replayed, one for each "gpu_graph_id" among the options of the run. The
            first one with an id in a thread steps more than once; all of an id must be bound to the same arrays.

    Raises:
        RuntimeError: It does not come up there; says why.
    """
    if problem := cuda_problem():
        raise RuntimeError(problem)
    ort.preload_dlls()
    # It would warn of ScatterND, wherever that is used, that no row may come twice; none does.
    ort.set_default_logger_severity(_ERRORS)
    options, cuda_options = session_options(1), CUDA_OPTIONS
    if captured:
        # No memory can be taken while a run is captured: it is to use what the run before it used.
        options.enable_mem_pattern = False
        cuda_options = CUDA_OPTIONS | {"enable_cuda_graph": "1"}
    session = ort.InferenceSession(graph, options, providers=[(CUDA, cuda_options), CPU])
    if session.get_providers()[0] != CUDA:
        raise RuntimeError("ONNX Runtime could not start CUDA; are its libraries there? (pip install kineseg[gpu])")
    return session


def open_cpu(graph: bytes, threads: int) -> ort.InferenceSession:
    """Opens a graph on the CPU with that many threads within a step."""
    return ort.InferenceSession(graph, session_options(threads), providers=[CPU])
