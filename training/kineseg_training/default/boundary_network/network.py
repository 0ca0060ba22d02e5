"""The boundary network: a small convolutional network on distances between pieces of time around a candidate."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from kineseg_core.boundary_network import layout
from torch import Tensor, nn

_MAPS, _UNITS = (16, 32, 48), 64  # of width 1
_DROPOUT = 0.1


class BoundaryNetwork(nn.Module):
    """Says how likely a segment begins at a candidate, from what is known so many blocks after it.

    Args:
        width: Factor on the numbers of maps and units.
    """

    coordinates: Tensor

    def __init__(self, width: float = 1.5) -> None:
        super().__init__()
        self.width = width
        views = layout.VIEWS
        maps = [int(width * count) for count in _MAPS]
        hidden = int(width * _UNITS)
        self.register_buffer("coordinates", _coordinates())
        sizes = [2 * views + 1 + self.coordinates.shape[1], *maps]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1) for before, after in pairwise(sizes)
        )
        side, far = layout.PIECES, 2 * layout.PIECES * layout.STRETCHES
        for _ in maps:
            side = (side + 1) // 2
        self.hidden = nn.Linear(side * side * maps[-1] + far + views + 1 + len(layout.LAGS), hidden)
        self.dropout = nn.Dropout(_DROPOUT)
        self.output = nn.Linear(hidden, 1)

    def forward(self, patches: Tensor, units: Tensor, known: Tensor, lag: Tensor, far: Tensor) -> Tensor:
        """``(N,)`` logits.

        Args:
            patches: ``(N, 2 V, PIECES, PIECES)``.
            units: ``(N, V)``.
            known: ``(N, 2)`` first known piece and end of the last one.
            lag: ``(N,)`` index into `LAGS`.
            far: ``(N, 2, PIECES, STRETCHES)``.
        """
        piece = torch.arange(layout.PIECES)
        pieces = ((piece >= known[:, :1]) & (piece < known[:, 1:])).float()
        mask = (pieces[:, :, None] * pieces[:, None, :])[:, None]
        maps = torch.cat(
            [patches.clamp(*layout.PATCH_RANGE) * mask, mask, self.coordinates.expand(len(patches), -1, -1, -1)], dim=1
        )
        for convolution in self.convolutions:
            maps = torch.relu(convolution(maps))
        past = pieces[:, : layout.PIECES_BEFORE].mean(dim=1, keepdim=True)
        at_lag = nn.functional.one_hot(lag, len(layout.LAGS)).float()
        far = far.clamp(*layout.PATCH_RANGE) * pieces[:, None, :, None]
        seen = torch.cat([maps.flatten(1), far.flatten(1), units.clamp(*layout.UNIT_RANGE), past, at_lag], dim=1)
        return self.output(self.dropout(torch.relu(self.hidden(seen))))[:, 0]  # type: ignore[no-any-return]


def _coordinates() -> Tensor:
    """``(1, 4, PIECES, PIECES)``: when each piece lies and how wide it is, along rows and columns."""
    middle = (layout.EDGES[1:] + layout.EDGES[:-1]) / 2.0
    when = np.sign(middle) * np.log1p(np.abs(middle)) / 5.0
    width = np.log(layout.WIDTHS) / 3.0
    pieces = layout.PIECES
    maps = [np.broadcast_to(one, (pieces, pieces)) for one in (when[:, None], when, width[:, None], width)]
    return torch.tensor(np.stack(maps)[None], dtype=torch.float32)
