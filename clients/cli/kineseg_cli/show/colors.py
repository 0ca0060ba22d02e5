"""One colour for every label, the same in the terminal, the picture and the page."""

from __future__ import annotations

from kineseg import AnomalyClass

# Okabe and Ito's palette (without black), then Paul Tol's "muted" where it differs enough: both are made to be
# distinguished by colour-blind people. Every bar also carries its number, so that nothing depends on colour alone.
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
# What a colour is mixed with (0 black, 255 white), and how much of it.
_SHADES = ((0, 0.0), (255, 0.5), (0, 0.45))
UNKNOWN = "#9AA0A6"
"""For what has no label: truth that nothing found corresponds to."""
ALARM, REPORT = "#C1121F", "#9A5B00"
"""For anomalies: those that are alarms, and reports of behaviour."""


def color_of(label: int) -> str:
    """The colour of `label` as ``#RRGGBB``; labels below 0 are unknown.

    After the palette come its lighter shades, then its darker ones, then all of it again.
    """
    if label < 0:
        return UNKNOWN
    color = PALETTE[label % len(PALETTE)]
    towards, share = _SHADES[label // len(PALETTE) % len(_SHADES)]
    mixed = (round(int(color[i : i + 2], 16) * (1 - share) + towards * share) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02X}" for channel in mixed)


def color_of_class(about: AnomalyClass) -> str:
    """The colour of an anomaly, as ``#RRGGBB``, by what it is about."""
    return REPORT if about is AnomalyClass.BEHAVIOUR else ALARM


def ink_on(color: str) -> str:
    """Black or white, whichever is easier to read on `color` (``#RRGGBB``)."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    # Rec. 709 luma; 0.5 rather than the mathematically exact bound, because bold white reads well on mid tones.
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "#FFFFFF"
