"""One colour for every action, the same in every picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

# Okabe and Ito's palette (without black), then Paul Tol's "muted" where it differs enough: both are made for
# colour-blind people, too. The same as on the service's pages.
PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#882255",
    "#44AA99",
    "#999933",
    "#6A5ACD",
    "#8C6D46",
)
NOTHING = "#9AA0A6"
"""For frames without a label."""
# After Okabe & Ito (2008); their yellow, too pale for lines on white, is brown here, sky blue and orange are lighter.
# Seen with normal or any one deficient kind of cone, any two differ by more than 16 in CIELAB.
_CMU = {
    "walking": "#0072B2",
    "running": "#D55E00",
    "jumping": "#F0A500",
    "basketball": "#009E73",
    "basketball_signal": "#7CC4F2",
    "directing_traffic": "#CC79A7",
    "soccer": "#222222",
    "washwindow": "#7A4B12",
}
_OTHERS = tuple(_CMU.values())
# Of the ninth action on, shades; so many cannot be distinguished by colour alone.
_PALER = 0.5


@dataclass(frozen=True)
class Key:
    """What the colours mean.

    Attributes:
        found: Colour of every predicted label, in the order in which they appear.
        known: Colour of every true class: that of the label matched to it, or one of its own.
        match: The true class of a predicted label, one to one, where there is one.
    """

    found: Mapping[int, str]
    known: Mapping[int, str]
    match: Mapping[int, int]


def key_of(predicted: NDArray[np.int64], truth: NDArray[np.int64] | None) -> Key:
    """Colours for the labels of all frames, both ``(T,)``; labels below 0 are none."""
    found = _in_order(predicted)
    known = [] if truth is None else _in_order(truth)
    match = {} if truth is None else matched(predicted, truth)
    colors = {label: _color(place) for place, label in enumerate(found)}
    rest = iter(range(len(found), len(found) + len(known)))
    owner = {name: label for label, name in match.items()}
    by_class = {name: colors[owner[name]] if name in owner else _color(next(rest)) for name in known}
    return Key(colors, by_class, match)


def matched(predicted: NDArray[np.int64], truth: NDArray[np.int64]) -> dict[int, int]:
    """For each predicted label the true class that it shares most frames with, one to one, best in sum."""
    labels, classes = sorted(_in_order(predicted)), sorted(_in_order(truth))
    shared = np.array([[np.sum((predicted == label) & (truth == name)) for name in classes] for label in labels])
    if not shared.size:
        return {}
    rows, columns = linear_sum_assignment(-shared)
    return {labels[i]: classes[j] for i, j in zip(rows, columns, strict=True) if shared[i, j]}


def ink_on(color: str) -> str:
    """Black or white, whichever is easier to read on `color` (``#RRGGBB``)."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "#FFFFFF"


def lighter(color: str, share: float = 0.45) -> str:
    """`color` mixed with white."""
    mixed = (round(int(color[i : i + 2], 16) * (1 - share) + 255 * share) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02X}" for channel in mixed)


def _in_order(labels: NDArray[np.int64]) -> list[int]:
    return [int(label) for label in dict.fromkeys(labels.tolist()) if label >= 0]


def _color(place: int) -> str:
    color = PALETTE[place % len(PALETTE)]
    return color if place // len(PALETTE) % 2 == 0 else lighter(color)


def action_colours(actions: Sequence[str]) -> dict[str, str]:
    """``#rrggbb`` for each of the actions.

    The CMU actions always have their own; others get what is left in the order of their names, then paler shades.
    """
    colours = {action: _CMU[action] for action in actions if action in _CMU}
    free = [colour for colour in _OTHERS if colour not in colours.values()]
    for place, action in enumerate(sorted(set(actions) - colours.keys())):
        if place < len(free):
            colours[action] = free[place]
        else:
            extra = place - len(free)
            colours[action] = _paler(_OTHERS[extra % len(_OTHERS)], _PALER ** (1 + extra // len(_OTHERS)))
    return {action: colours[action] for action in actions}


def _paler(colour: str, keep: float) -> str:
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - keep * (255 - part)):02x}" for part in parts)
