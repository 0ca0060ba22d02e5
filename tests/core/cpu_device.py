"""A device that is the CPU: what tables on devices do can be seen where there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime as ort
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.device import DeviceArray
from kineseg_core.inference.device_table import DeviceTable
from kineseg_core.inference.providers import open_cpu
from kineseg_core.inference.state_table import F32


class CpuArray:
    """Its value is a view of an array in main memory."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._array = np.zeros(shape, np.float32)
        self.value = ort.OrtValue.ortvalue_from_numpy(self._array, "cpu")
        self._flat = self._array.reshape(-1)

    def write(self, numbers: F32, at: int = 0) -> None:
        self._flat[at : at + numbers.size] = numbers.reshape(-1)

    def read(self, numbers: F32, at: int = 0) -> None:
        numbers.reshape(-1)[:] = self._flat[at : at + numbers.size]


class CpuDevice:
    """Opens graphs with a function, and holds arrays in main memory."""

    def __init__(self, opened: Callable[[bytes], ort.InferenceSession] = lambda graph: open_cpu(graph, 1)) -> None:
        self.open = opened

    def array(self, *shape: int) -> DeviceArray:
        return CpuArray(shape)

    def host_array(self, *shape: int) -> F32:
        return np.zeros(shape, np.float32)


def on_cpu_device(bundle: Bundle, slots: int = 200, max_batch: int = 128) -> DeviceTable:
    """A table for devices, whose device is the CPU."""
    return DeviceTable(bundle, CpuDevice(), slots, max_batch)
