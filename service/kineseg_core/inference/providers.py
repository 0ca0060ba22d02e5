"""Where ONNX Runtime runs: CUDA when there is a device that works, else the CPU."""

from __future__ import annotations

import ctypes
from typing import Literal

import onnxruntime as ort

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# Products of matrices in full single precision. ONNX Runtime's own choice, TF32, keeps 10 bits of a factor: results
# are off by a thousandth, and a recurrent state carries that on.
CUDA_OPTIONS = {"use_tf32": "0"}
Wanted = Literal["auto", "cuda", "cpu"]


def cuda_problem() -> str:
    """Why CUDA cannot be used on this machine; empty when nothing speaks against it.

    ONNX Runtime built for CUDA offers CUDA on every machine and fails loudly later, hence the look at the driver.
    """
    if CUDA not in ort.get_available_providers():
        return "this build of ONNX Runtime has no CUDA"
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no NVIDIA driver (libcuda.so.1)"
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
    options.log_severity_level = 3
    return options


def open_cuda(graph: bytes) -> ort.InferenceSession:
    """Opens a graph on CUDA.

    Raises:
        RuntimeError: It does not come up there; says why.
    """
    if problem := cuda_problem():
        raise RuntimeError(problem)
    ort.preload_dlls()
    session = ort.InferenceSession(graph, session_options(1), providers=[(CUDA, CUDA_OPTIONS), CPU])
    if session.get_providers()[0] != CUDA:
        raise RuntimeError("ONNX Runtime could not start CUDA; are its libraries there? (pip install kineseg[gpu])")
    return session


def open_cpu(graph: bytes, threads: int) -> ort.InferenceSession:
    """Opens a graph on the CPU with that many threads within a step."""
    return ort.InferenceSession(graph, session_options(threads), providers=[CPU])
