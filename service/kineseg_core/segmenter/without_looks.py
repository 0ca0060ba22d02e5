"""The two halves of a step, for what decides on its own with each frame."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network import Look
from kineseg_core.segmenter.decisions import Decision

F32 = NDArray[np.float32]


class WithoutLooks(ABC):
    """A segmenter that has nothing for the boundary network to look at."""

    _decided: tuple[Decision, ...] = ()

    @abstractmethod
    def update(self, embedding: F32, surprise: float) -> list[Decision]:
        """Takes the next frame's embedding (E,) and surprise, and returns what is decided with it, often nothing."""

    def observe(self, frame: F32, embedding: F32, surprise: float) -> list[Look]:
        """Takes the next frame (C,) with its embedding (E,) and surprise; there is nothing to look at."""
        self._decided = tuple(self.update(embedding, surprise))
        return []

    def decide(self, probabilities: F32) -> list[Decision]:
        """What is decided with the frame of the last `observe`; there are no probabilities."""
        decisions, self._decided = list(self._decided), ()
        return decisions
