"""What distinguishes one repeating pattern from another, wherever in its cycle it is looked at.

The mean of a delay embedding over whole cycles is nearly the same for every pattern; how its values are distributed is
not. Random Fourier features (Rahimi & Recht 2007) turn the distribution into a mean: that of the features is the kernel
mean embedding, and distances between two of them are their maximum mean discrepancy (Gretton et al. 2012).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIMS = 64
WIDTH = 0.2  # of the kernel, in units of the embedding, whose blocks are about 1 apart
_SEED = 0


class Signature:
    """Random Fourier features of blocks; the same ones every time. Picklable.

    Args:
        dim: Dimensions of a block.

    Attributes:
        dims: Number of features.
    """

    def __init__(self, dim: int) -> None:
        self.dims = DIMS
        self._dim = dim

    def __call__(self, blocks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Features ``(n, dims)`` of blocks ``(n, dim)``, each row of length 1."""
        random = np.random.Generator(np.random.PCG64(_SEED))
        angles = blocks.astype(np.float64) @ (random.standard_normal((self._dim, DIMS // 2)) / WIDTH)
        return np.asarray(np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(DIMS / 2))
