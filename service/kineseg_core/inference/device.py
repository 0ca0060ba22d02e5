"""What a table of states needs of a device that runs graphs."""

from __future__ import annotations

from typing import Protocol

import onnxruntime as ort

from kineseg_core.inference.state_table import F32


class DeviceArray(Protocol):
    """An array of float32 on a device.

    Attributes:
        value: The same, for graphs to be bound to; it stays where it is.
    """

    value: ort.OrtValue

    def write(self, numbers: F32, at: int = 0) -> None:
        """Copies `numbers`, contiguous, to where the array's number `at` is; returns when they are there."""

    def read(self, numbers: F32, at: int = 0) -> None:
        """Fills `numbers`, contiguous, with what the array has from its number `at` on."""


class Device(Protocol):
    """Runs graphs, and holds the arrays that they read and write."""

    def open(self, graph: bytes) -> ort.InferenceSession:
        """Opens a graph whose runs with the same "gpu_graph_id" are bound to the same arrays."""

    def array(self, *shape: int) -> DeviceArray:
        """Zeros on the device."""

    def host_array(self, *shape: int) -> F32:
        """Zeros in main memory that are copied fast."""
