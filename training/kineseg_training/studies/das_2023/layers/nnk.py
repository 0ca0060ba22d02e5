"""Non-negative kernel regression: which of the nearest neighbours of a node are needed to describe it, and how much.

Shekkizhar & Ortega, "Graph Construction from Data by Non-Negative Kernel Regression", ICASSP 2020 (arXiv 1910.09383).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

Array = NDArray[np.float64]

# Added to the diagonal, so that equal sequences (a singular kernel) have a Cholesky factor too; and weights below it
# are rounding.
_RIDGE = 1e-8


def nnk_weights(kernel: Array, neighbours: NDArray[np.int64]) -> Array:
    """Weights of the edges of an NNK graph.

    For node i with candidates S, ``w = argmin_{w >= 0} w'K_SS w / 2 - w'K_Si``: i's image in kernel space, approximated
    by those of its candidates. With ``K_SS = L L'`` that is the non-negative least squares problem
    ``min |L'w - L^-1 K_Si|``. A candidate that lies behind another one, seen from i, gets weight zero.

    Symmetrised as the authors do: where i and j give each other different weights, that of the node holds whose
    approximation has the smaller error. Where only one of the two has the other among its candidates, its weight holds.
    A node that all others do without would have no edge left; it keeps its own, or it would drop out of what is said
    about the graph.

    Args:
        kernel: ``(N, N)``, symmetric, ones on the diagonal. Kernels of warped distances need not be positive
            semi-definite; the nearest one that is (negative eigenvalues set to zero, the diagonal back to one) is used.
        neighbours: ``(N, k)``, the candidates of each node.

    Returns:
        ``(N, N)``, symmetric, not negative, zero on the diagonal.
    """
    kernel = _positive(kernel)
    n_nodes = len(kernel)
    weights = np.zeros((n_nodes, n_nodes))
    errors = np.full((n_nodes, n_nodes), np.inf)
    for node, candidates in enumerate(neighbours):
        among = kernel[np.ix_(candidates, candidates)]
        towards = kernel[candidates, node]
        factor = cholesky(among + _RIDGE * np.eye(len(candidates)), lower=True)
        found, _ = nnls(factor.T, solve_triangular(factor, towards, lower=True))
        found[found < _RIDGE] = 0.0
        weights[node, candidates] = found
        errors[node, candidates] = 1.0 - 2.0 * found @ towards + found @ among @ found
    agreed = np.where(
        errors < errors.T, weights, np.where(errors > errors.T, weights.T, np.maximum(weights, weights.T))
    )
    own = np.where(agreed.any(axis=1, keepdims=True), 0.0, weights)
    return np.maximum(agreed, np.maximum(own, own.T))


def _positive(kernel: Array) -> Array:
    values, vectors = np.linalg.eigh(kernel)
    if values[0] >= 0.0:
        return kernel
    mended = (vectors * np.maximum(values, 0.0)) @ vectors.T
    size = np.sqrt(np.diag(mended))
    return np.asarray(mended / (size[:, None] * size[None, :]))
