"""The boundary network: a small convolutional network on distances between pieces of time around a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from kineseg_core.boundary_network import layout
from torch import Tensor, nn

_DROPOUT = 0.1


@dataclass(frozen=True)
class NetworkSize:
    """How large a network is.

    Attributes:
        maps: Of each convolution.
        hidden: Units of the hidden layer.
    """

    maps: tuple[int, ...]
    hidden: int


class BoundaryNetwork(nn.Module):
    """Says how likely a segment begins at a candidate, from what is known so many blocks after it.

    Args:
        size: How large it is.
    """

    coordinates: Tensor

    def __init__(self, size: NetworkSize) -> None:
        super().__init__()
        self.register_buffer("coordinates", _coordinates())
        sizes = [2 * layout.VIEWS + 1 + self.coordinates.shape[1], *size.maps]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1) for before, after in pairwise(sizes)
        )
        side = layout.PIECES
        for _ in size.maps:
            side = (side + 1) // 2
        seen = side * side * sizes[-1] + layout.CONTEXT + len(layout.LAGS)
        self.hidden = nn.Linear(seen, size.hidden)
        self.dropout = nn.Dropout(_DROPOUT)
        self.output = nn.Linear(size.hidden, 1)

    def forward(self, patches: Tensor, units: Tensor, known: Tensor, lag: Tensor, far: Tensor) -> Tensor:
        """``(N,)`` logits.

        Args:
            patches: ``(N, 2 V, PIECES, PIECES)``.
            units: ``(N, V)``.
            known: ``(N, 2)`` first known piece and end of the last one.
            lag: ``(N,)`` index into `LAGS`.
            far: ``(N, 2, PIECES, STRETCHES)``.
        """
        maps, context = as_served(patches, units, known, far)
        maps = torch.cat([maps, self.coordinates.expand(len(maps), -1, -1, -1)], dim=1)
        for convolution in self.convolutions:
            maps = torch.relu(convolution(maps))
        at_lag = nn.functional.one_hot(lag, len(layout.LAGS)).float()
        seen = torch.cat([maps.flatten(1), context, at_lag], dim=1)
        return self.output(self.dropout(torch.relu(self.hidden(seen))))[:, 0]  # type: ignore[no-any-return]


def as_served(patches: Tensor, units: Tensor, known: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """``(N, 2 V + 1, PIECES, PIECES)`` maps and ``(N, CONTEXT)`` context, as the service gives them: 0 where nothing is
    known, and nothing beyond the ranges. Arguments as of `BoundaryNetwork.forward`."""
    piece = torch.arange(layout.PIECES)
    pieces = ((piece >= known[:, :1]) & (piece < known[:, 1:])).float()
    mask = (pieces[:, :, None] * pieces[:, None, :])[:, None]
    maps = torch.cat([patches.clamp(*layout.PATCH_RANGE) * mask, mask], dim=1)
    past = pieces[:, : layout.PIECES_BEFORE].mean(dim=1, keepdim=True)
    far = far.clamp(*layout.PATCH_RANGE) * pieces[:, None, :, None]
    return maps, torch.cat([far.flatten(1), units.clamp(*layout.UNIT_RANGE), past], dim=1)


def _coordinates() -> Tensor:
    """``(1, 4, PIECES, PIECES)``: when each piece lies and how wide it is, along rows and columns."""
    middle = (layout.EDGES[1:] + layout.EDGES[:-1]) / 2.0
    when = np.sign(middle) * np.log1p(np.abs(middle)) / 5.0
    width = np.log(layout.WIDTHS) / 3.0
    pieces = layout.PIECES
    maps = [np.broadcast_to(one, (pieces, pieces)) for one in (when[:, None], when, width[:, None], width)]
    return torch.tensor(np.stack(maps)[None], dtype=torch.float32)
