"""The dataset graph of a layer: nodes are sequences, edges join those that the layer sees alike.

Das, Shekkizhar & Ortega, "Towards a geometric understanding of Spatio Temporal Graph Convolution Networks", 2023
(arXiv 2312.07777).

Non-negative kernel regression, which finds out which of the nearest neighbours are needed to describe a node, is after
Shekkizhar & Ortega, "Graph Construction from Data by Non-Negative Kernel Regression", ICASSP 2020 (arXiv 1910.09383).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.das_2023.layers.dtw import dtw_distances

Array = NDArray[np.float64]

# Added to the diagonal, so that equal sequences (a singular kernel) have a Cholesky factor too; and weights below it
# are rounding.
_RIDGE = 1e-8
Neighbours = Literal["knn", "nnk"]


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


def dataset_graph(
    sequences: Sequence[NDArray[np.floating]], *, window: int, k: int = 5, neighbours: Neighbours = "nnk"
) -> Array:
    """Weights ``(N, N)`` of the graph of N feature sequences of one layer.

    Args:
        sequences: ``(T_i, F)`` each.
        window: Of the warping, in frames (`dtw_distances`).
        k: Nearest neighbours of each node; of those, ``nnk`` keeps the ones that are needed.
        neighbours: ``knn`` or ``nnk``.

    Raises:
        DataError: The sequences do not fit together.
        SettingsError: A setting makes no sense, for instance k is not below N.
    """
    return graph_of_distances(dtw_distances(sequences, window), k=k, neighbours=neighbours)


def graph_of_distances(
    distances: NDArray[np.floating],
    *,
    k: int = 5,
    neighbours: Neighbours = "nnk",
    takes: NDArray[np.integer] | None = None,
) -> Array:
    """Weights ``(N, N)`` of the graph that distances ``(N, N)`` make: symmetric, not negative, zero on the diagonal.

    Weights come from a Gaussian kernel whose bandwidth is each node's own distance to its k-th neighbour,
    ``exp(-d_ij^2 / (s_i s_j))``: it adapts to layers of any scale and to classes of any density. A k-NN edge is there
    if either end has the other among its k nearest.

    Args:
        distances: ``(N, N)``.
        k: Nearest neighbours of each node.
        neighbours: ``knn`` or ``nnk``.
        takes: ``(N,)``: two nodes of one take are never neighbours. Parts of one take are alike for reasons that have
            nothing to do with what is done in it (who does it, where, in which clothes).

    Raises:
        DataError: The distances are no symmetric matrix of finite numbers, none negative.
        SettingsError: k is not from 1 to N - 1 (to the number of sequences of other takes, with `takes`), or there is
            no such kind of neighbours.
    """
    d = np.asarray(distances, dtype=np.float64)
    if d.ndim != 2 or d.shape[0] != d.shape[1]:
        raise DataError(f"distances must be (N, N), got shape {d.shape}")
    if not np.isfinite(d).all() or (d < 0.0).any() or not np.allclose(d, d.T):
        raise DataError("distances must be finite, not negative and symmetric")
    if neighbours not in get_args(Neighbours):
        raise SettingsError(f"neighbours must be one of {', '.join(get_args(Neighbours))}, got {neighbours!r}")
    never = np.eye(len(d), dtype=bool)
    if takes is not None:
        if np.shape(takes) != (len(d),):
            raise DataError(f"takes must be one for each of the {len(d)} sequences, got shape {np.shape(takes)}")
        never = np.equal.outer(takes, takes)
    most = int((~never).sum(axis=1).min(initial=len(d)))
    if not 1 <= k <= most:
        of_others = " of which one has no more of other takes" if takes is not None else ""
        raise SettingsError(f"k must be from 1 to {most} for {len(d)} sequences{of_others}, got {k}")
    others = np.where(never, np.inf, d)
    nearest = np.argsort(others, axis=1, kind="stable")[:, :k]
    kernel = _kernel(d, others[np.arange(len(d)), nearest[:, -1]])
    if neighbours == "nnk":
        return nnk_weights(kernel, nearest)
    chosen = np.zeros(d.shape, dtype=bool)
    np.put_along_axis(chosen, nearest, values=True, axis=1)
    return np.where(chosen | chosen.T, kernel, 0.0)


def _kernel(distances: Array, bandwidth: Array) -> Array:
    # Where k neighbours equal a node, all that differ are as good as infinitely far; where all are equal, all are near.
    bandwidth = np.maximum(bandwidth, 1e-12 * distances.max() or 1.0)
    return np.exp(-(distances / bandwidth[:, None]) * (distances / bandwidth[None, :]))
