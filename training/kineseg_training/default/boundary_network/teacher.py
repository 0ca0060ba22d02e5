"""What a network says of examples, by its file: as the service asks it."""

from __future__ import annotations

import numpy as np
from kineseg_core.boundary_network import layout
from kineseg_core.boundary_network.discrepancy import NO_DISCREPANCY
from kineseg_core.inference.providers import open_cpu
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.calibration import Calibration
from kineseg_training.default.boundary_network.examples import ExamplePool
from kineseg_training.default.boundary_network.export import INPUTS, OUTPUT, to_bytes
from kineseg_training.default.boundary_network.fit import inputs
from kineseg_training.default.boundary_network.network import BoundaryNetwork, as_served

_AT_ONCE = 512


def probabilities(network: BoundaryNetwork, examples: ExamplePool) -> NDArray[np.float32]:
    """``(N,)`` how likely each example is a boundary, discrepancies left out."""
    session = open_cpu(to_bytes(network, Calibration(0.0, {})), threads=1)
    logits = np.empty(len(examples), np.float32)
    for first in range(0, len(logits), _AT_ONCE):
        rows = np.arange(first, min(first + _AT_ONCE, len(logits)))
        patches, units, known, lag, far = inputs(examples.batch(rows))
        shown = [one.numpy() for one in (*as_served(patches, units, known, far), lag)]
        shown.append(np.full((len(rows), layout.COMPARED), NO_DISCREPANCY, np.float32))
        (logits[rows],) = session.run([OUTPUT], dict(zip(INPUTS, shown, strict=True)))
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
