"""Few dimensions of many: principal components, how much they hold, and UMAP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from kineseg_training.errors import DataError, SettingsError

_NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class Components:
    """The principal components of some points.

    Attributes:
        mean: ``(F,)``.
        axes: ``(K, F)``, orthonormal, that of the largest variance first.
        variances: ``(K,)`` along them, not negative, falling.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def explained(self) -> NDArray[np.float64]:
        """``(K,)``: share of the variance that the first component holds, the first two, ..., all (1)."""
        total = self.variances.sum()
        shares = self.variances / total if total > 0.0 else np.zeros_like(self.variances)
        return np.asarray(np.minimum(np.cumsum(shares), 1.0), dtype=np.float64)

    @property
    def effective_dimension(self) -> float:
        """`participation_ratio` of the variances."""
        return participation_ratio(self.variances)

    def needed(self, share: float) -> int:
        """How many components hold at least this share of the variance."""
        return int(np.searchsorted(self.explained, share - 1e-9)) + 1

    def project(self, points: NDArray[np.floating], dimensions: int) -> NDArray[np.float64]:
        """``(..., F)`` to ``(..., dimensions)``."""
        if not 1 <= dimensions <= len(self.axes):
            raise SettingsError(f"dimensions must be from 1 to {len(self.axes)}, got {dimensions}")
        return np.asarray((points - self.mean) @ self.axes[:dimensions].T, dtype=np.float64)


def principal_components(points: NDArray[np.floating]) -> Components:
    """Of points ``(..., F)``; K is F, or the number of points where they are fewer.

    Raises:
        DataError: Fewer than two points, or one that is not finite.
    """
    flat = np.asarray(points, dtype=np.float64).reshape(-1, points.shape[-1])
    if len(flat) < 2:
        raise DataError(f"{len(flat)} state(s): principal components need two at least")
    if not np.isfinite(flat).all():
        raise DataError("a state that is not finite; the model has diverged, train it with a lower learning rate")
    if np.ptp(flat, axis=0).max() == 0.0:  # nothing varies: any axes will do
        count = min(flat.shape)
        return Components(flat[0], np.eye(count, flat.shape[1]), np.zeros(count))
    found = PCA(svd_solver="full").fit(flat)
    return Components(found.mean_, found.components_, np.maximum(found.explained_variance_, 0.0))


def participation_ratio(variances: NDArray[np.floating]) -> float:
    """The effective dimension ``(sum v)^2 / sum v^2``: K for K equal variances, 1 where one holds all, 0 for none.

    Raises:
        DataError: A variance is negative or not finite.
    """
    values = np.asarray(variances, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0.0).all()):
        raise DataError("variances must be finite and not negative")
    largest = values.max(initial=0.0)
    if largest == 0.0:
        return 0.0
    values = values / largest  # so that neither sum can overflow or vanish
    return float(values.sum() ** 2 / np.square(values).sum())


def umap_projection(points: NDArray[np.floating], dimensions: int, seed: int) -> NDArray[np.float64]:
    """UMAP of points ``(..., F)`` into ``(..., dimensions)``: keeps neighbourhoods, not distances.

    McInnes, Healy and Melville 2018 (arXiv 1802.03426). Deterministic for a seed.

    Raises:
        SettingsError: umap-learn is not installed, or there are too few points.
    """
    try:
        from umap import UMAP  # optional; tens of seconds to import and compile
    except ImportError as error:
        raise SettingsError(
            "umap: umap-learn is not installed; pip install 'kineseg[explore]', or leave --umap out"
        ) from error
    flat = np.asarray(points, dtype=np.float32).reshape(-1, points.shape[-1])
    if len(flat) <= dimensions + 1:
        raise SettingsError(f"umap: {len(flat)} states are too few for {dimensions} dimensions")
    reducer = UMAP(
        n_components=dimensions, n_neighbors=min(_NEIGHBOURS, len(flat) - 1), random_state=seed, n_jobs=1, init="pca"
    )
    found: NDArray[np.float64] = np.asarray(reducer.fit_transform(flat), dtype=np.float64)
    return found.reshape(*points.shape[:-1], dimensions)
