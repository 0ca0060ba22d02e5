"""One colour for each action, the same in every picture, told apart by the colour-blind too."""

from __future__ import annotations

from collections.abc import Sequence

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
# Of the ninth action on, shades; so many cannot be told by colour alone.
_PALER = 0.5


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
