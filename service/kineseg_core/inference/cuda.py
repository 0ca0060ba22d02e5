"""The first CUDA device: ONNX Runtime runs graphs there, the driver copies to and from page-locked memory.

The driver is spoken to by its C interface, as ONNX Runtime's Python interface has no page-locked memory for the CUDA it
is built with, and gives results back in new memory each time.
"""

from __future__ import annotations

import ctypes
import math
import weakref

import numpy as np
import onnxruntime as ort

from kineseg_core.inference.device import DeviceArray
from kineseg_core.inference.providers import CAPTURES, DRIVER, cuda_problem, open_cuda
from kineseg_core.inference.state_table import F32

_FOR_ALL_CONTEXTS = 1  # CU_MEMHOSTALLOC_PORTABLE
_SIGNATURES = {
    "cuDeviceGet": (ctypes.POINTER(ctypes.c_int), ctypes.c_int),
    "cuDeviceGetName": (ctypes.c_char_p, ctypes.c_int, ctypes.c_int),
    "cuDevicePrimaryCtxRetain": (ctypes.POINTER(ctypes.c_void_p), ctypes.c_int),
    "cuCtxSetCurrent": (ctypes.c_void_p,),
    "cuMemHostAlloc": (ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_uint),
    "cuMemFreeHost": (ctypes.c_void_p,),
    "cuMemcpyHtoD_v2": (ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t),
    "cuMemcpyDtoH_v2": (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_size_t),
}


class _Driver:
    """The driver's functions, in the context that ONNX Runtime uses, too.

    Raises:
        RuntimeError: The driver refuses.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(DRIVER)
        for name, kinds in _SIGNATURES.items():
            getattr(self._library, name).argtypes = kinds
        device = ctypes.c_int()
        self._context = ctypes.c_void_p()
        self._do("cuDeviceGet", ctypes.byref(device), 0)
        called = ctypes.create_string_buffer(256)
        self._do("cuDeviceGetName", called, len(called), device)
        self.device_name = called.value.decode(errors="replace")
        self._do("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), device)

    def locked(self, size: int) -> ctypes.Array[ctypes.c_char]:
        """So many bytes of page-locked memory, freed with what is returned."""
        address = ctypes.c_void_p()
        self._here("cuMemHostAlloc", ctypes.byref(address), size, _FOR_ALL_CONTEXTS)
        assert address.value is not None
        memory = (ctypes.c_char * size).from_address(address.value)
        # Not at exit: by then the driver may have gone.
        weakref.finalize(memory, self._here, "cuMemFreeHost", address).atexit = False
        return memory

    def write(self, there: int, here: F32) -> None:
        self._here("cuMemcpyHtoD_v2", there, here.ctypes.data, here.nbytes)

    def read(self, here: F32, there: int) -> None:
        self._here("cuMemcpyDtoH_v2", here.ctypes.data, there, here.nbytes)

    def _here(self, name: str, *arguments: object) -> None:
        """A call in whichever thread this is."""
        self._do("cuCtxSetCurrent", self._context)
        self._do(name, *arguments)

    def _do(self, name: str, *arguments: object) -> None:
        if code := getattr(self._library, name)(*arguments):
            raise RuntimeError(f"the NVIDIA driver's {name} fails with code {code}")


class _CudaArray:
    def __init__(self, driver: _Driver, shape: tuple[int, ...]) -> None:
        self._driver = driver
        self.value = ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32), "cuda", 0)
        self._address = self.value.data_ptr()

    def write(self, numbers: F32, at: int = 0) -> None:
        self._driver.write(self._address + at * numbers.itemsize, numbers)

    def read(self, numbers: F32, at: int = 0) -> None:
        self._driver.read(numbers, self._address + at * numbers.itemsize)


class CudaDevice:
    """The first CUDA device, as a `Device`.

    Args:
        captured: Whether runs of graphs are captured, so that each is one launch after the first.

    Attributes:
        name: As the driver has it.

    Raises:
        RuntimeError: There is none that works; says why.
    """

    def __init__(self, *, captured: bool = CAPTURES) -> None:
        if problem := cuda_problem():
            raise RuntimeError(problem)
        self._driver = _Driver()
        self._captured = captured
        self.name = self._driver.device_name

    def open(self, graph: bytes) -> ort.InferenceSession:
        """Opens a graph whose runs with the same "gpu_graph_id" are bound to the same arrays."""
        return open_cuda(graph, captured=self._captured)

    def array(self, *shape: int) -> DeviceArray:
        """Zeros on the device."""
        return _CudaArray(self._driver, shape)

    def host_array(self, *shape: int) -> F32:
        """Zeros in page-locked memory."""
        memory = memoryview(self._driver.locked(math.prod(shape) * np.dtype(np.float32).itemsize))
        array = np.frombuffer(memory, np.float32).reshape(shape)
        array[...] = 0.0
        return array
