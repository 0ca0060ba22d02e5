"""What the experiment `transfer` says: whether late layers are enough, in words, a table and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kineseg_training.studies.das_2023.trained import PRESETS
from kineseg_training.studies.das_2023.transfer.run import FROM_RANDOM, Run, Transferred, measure_transfer
from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table

_TUNED, _RANDOM, _OTHER = "#0072B2", "#D55E00", "#444444"
PICTURE = "transfer.png"
# Accuracies closer than this, or than the spread over seeds, count as equal.
_LEAST_DIFFERENCE = 0.03


def draw_transfer(path: Path, found: Transferred) -> None:
    """Accuracy and smoothness against the number of re-trained blocks, and smoothness over the layers.

    Args:
        path: PNG to write.
        found: What was measured.
    """
    figure = Figure(figsize=(15.5, 4.9), layout="constrained")
    accuracy, last, layers = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    numbers = found.numbers()
    final = f"block{found.blocks}"
    _against(accuracy, found, [[run.windows for run in found.of(n)] for n in numbers])
    _level(accuracy, [run.windows for run in found.of(FROM_RANDOM)], _RANDOM, "all, from random weights", "-")
    accuracy.axhline(found.neighbour, color=_OTHER, linestyle="--", linewidth=1.2, label="nearest neighbour by poses")
    accuracy.axhline(1 / len(found.actions), color=_OTHER, linestyle=":", linewidth=1.2, label="chance")
    accuracy.set(ylabel="test windows named rightly, actions alike", ylim=(0, 1))
    _against(last, found, [[run.smoothness[final] for run in found.of(n)] for n in numbers])
    _level(last, [run.smoothness[final] for run in found.of(FROM_RANDOM)], _RANDOM, "all, from random weights", "-")
    last.axhline(found.before[final], color=_OTHER, linestyle="--", linewidth=1.2, label="as trained on CMU")
    last.set(ylabel="label smoothness of the last block\n(smaller: neighbours share labels)")
    names = list(found.before)
    places = range(len(names))
    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(numbers)))
    layers.plot(
        places, list(found.before.values()), color=_OTHER, linestyle="--", linewidth=2, label="as trained on CMU"
    )
    for n, colour in zip(numbers, colours, strict=True):
        if n:
            layers.plot(places, _mean(found.of(n), names), color=colour, marker="o", markersize=3, linewidth=1.2)
            layers.plot([], [], color=colour, marker="o", markersize=4, label=f"last {n} re-trained")
    layers.plot(
        places, _mean(found.of(FROM_RANDOM), names), color=_RANDOM, linewidth=2, label="all, from random weights"
    )
    layers.set_xticks(places, ["input", *(str(number) for number in range(1, len(names)))])
    layers.set(xlabel="layer (block)", ylabel="label smoothness")
    for axes in (accuracy, last):
        axes.set_xticks(numbers)
        axes.set_xlabel("re-trained last blocks (and the classifier)")
        axes.legend(fontsize=9)
    layers.legend(fontsize=8, ncols=2)
    highest = max(max(run.smoothness.values()) for run in found.runs)
    for axes in (last, layers):
        axes.set_ylim(0.0, 1.08 * max(highest, *found.before.values()))
    for axes in (accuracy, last, layers):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _against(axes: Axes, found: Transferred, values: Sequence[Sequence[float]]) -> None:
    numbers = found.numbers()
    axes.plot(
        numbers, [np.mean(of_n) for of_n in values], color=_TUNED, linewidth=2, marker="o", label="from CMU weights"
    )
    for n, of_n in zip(numbers, values, strict=True):
        axes.scatter([n] * len(of_n), of_n, color=_TUNED, s=14, alpha=0.5)


def _level(axes: Axes, values: Sequence[float], colour: str, label: str, style: str) -> None:
    axes.axhline(float(np.mean(values)), color=colour, linestyle=style, linewidth=2, label=label)
    if len(values) > 1:
        axes.axhspan(min(values), max(values), color=colour, alpha=0.15, linewidth=0)


def _mean(runs: Sequence[Run], names: Sequence[str]) -> list[float]:
    return [float(np.mean([run.smoothness[name] for run in runs])) for name in names]


def transfer(context: RunContext) -> Exhibit:
    """Fine-tune the CMU network to the contents of the BVH set by its last n blocks, for each n and several seeds.

    Raises:
        DataError: The CMU clips or the BVH recordings are not there.
    """
    found = measure_transfer(context)
    draw_transfer(context.out / PICTURE, found)
    preset = PRESETS[context.preset]
    numbers = found.numbers()
    windows = {n: float(np.mean([run.windows for run in found.of(n)])) for n in (*numbers, FROM_RANDOM)}
    clips = {n: float(np.mean([run.clips for run in found.of(n)])) for n in (*numbers, FROM_RANDOM)}
    final = f"block{found.blocks}"
    smooth = {n: float(np.mean([run.smoothness[final] for run in found.of(n)])) for n in (*numbers, FROM_RANDOM)}
    spread = {n: float(np.std([run.windows for run in found.of(n)])) for n in (*numbers, FROM_RANDOM)}
    tolerance = max(_LEAST_DIFFERENCE, float(np.mean(list(spread.values()))))
    whole = max(numbers)
    # The fewest blocks that do as well as training all of them.
    fewest = min((n for n in numbers if windows[n] >= windows[whole] - tolerance), default=whole)
    half = min(numbers, key=lambda n: abs(n - whole / 2))
    best = max(numbers, key=lambda n: windows[n])
    changes = _correlation([windows[n] for n in numbers], [smooth[n] for n in numbers])
    layers = list(found.before.values())
    findings = (
        f"{len(found.actions)} contents of the BVH set ({', '.join(found.actions)}), {found.test_clips} test clips, "
        f"{preset.seeds} seed(s), {preset.transfer.iterations} steps each. With all {whole} blocks re-trained from the "
        f"CMU weights {100 * windows[whole]:.0f}% of the test windows are named rightly (actions alike), with the "
        f"classifier alone {100 * windows[min(numbers)]:.0f}%; the best is {100 * windows[best]:.0f}% with the last "
        f"{best}. {_fewest(fewest, whole, tolerance)} From random weights, all trained for as many steps: "
        f"{100 * windows[FROM_RANDOM]:.0f}%. The nearest neighbour by pooled poses names "
        f"{100 * found.neighbour:.0f}%.",
        f"Label smoothness of the new labels on the layers' dataset graphs (windowed warping, non-negative kernel "
        f"regression, neighbours from other takes only): in the CMU network it is {layers[0]:.2f} at the input, "
        f"{min(layers):.2f} at {min(found.before, key=lambda name: found.before[name])} and {layers[-1]:.2f} after the "
        f"last block. Fine-tuning takes the last block to {smooth[whole]:.2f} with all blocks, to "
        f"{smooth[half]:.2f} with the last {half}; training from random weights to {smooth[FROM_RANDOM]:.2f}. Over the "
        f"numbers of blocks, accuracy and smoothness of the last block have a correlation of {changes:.2f}"
        + _trend(changes),
    )
    agreement, verdict = _verdict(windows, fewest, whole, tolerance)
    rows = tuple(
        (_named(n, whole), len(found.of(n)), windows[n], spread[n], clips[n], smooth[n])
        for n in (*numbers, FROM_RANDOM)
    )
    return Exhibit(
        title="Transfer from the CMU actions to the BVH set by late layers",
        paper="Das, Shekkizhar & Ortega 2023",
        command=f"kineseg-train recognition transfer {context.out.name} --preset {context.preset}",
        findings=findings,
        agreement=agreement,
        verdict=verdict,
        pictures=(
            Picture(
                PICTURE,
                "Left: test windows of the BVH set's contents named rightly (actions alike) when the last blocks of "
                "the CMU network and a new classifier are trained and the rest is frozen; line: mean over seeds, dots: "
                "each seed; the band spans the seeds of networks trained from random weights. Middle: label "
                "smoothness of the last block's dataset graph. Right: label smoothness after every block; where lines "
                "coincide, blocks are frozen. Graphs are made of pieces of training and test clips, by windowed "
                "dynamic time warping and non-negative kernel regression, and join different takes only.",
            ),
        ),
        tables=(
            Table(
                ("re-trained", "seeds", "windows right", "spread", "clips right", "smoothness of the last block"),
                rows,
                "Test windows (actions alike) and test clips named rightly, standard deviation over seeds, and label "
                "smoothness after the last block, for each number of last blocks trained together with the classifier.",
            ),
        ),
        figures={
            **{f"windows_last{n}": windows[n] for n in numbers},
            "windows_random": windows[FROM_RANDOM],
            "fewest_as_good_as_all": float(fewest),
            "nearest_neighbour": found.neighbour,
            "smoothness_before": layers[-1],
            "smoothness_all": smooth[whole],
            "smoothness_random": smooth[FROM_RANDOM],
        },
    )


def _correlation(a: list[float], b: list[float]) -> float:
    """Zero where one of them does not change."""
    return float(np.corrcoef(a, b)[0, 1]) if np.std(a) > 0 and np.std(b) > 0 else 0.0


def _named(n: int, whole: int) -> str:
    if n == FROM_RANDOM:
        return "all, from random weights"
    return {0: "classifier alone", whole: f"all {whole} blocks"}.get(n, f"last {n}")


def _fewest(fewest: int, whole: int, tolerance: float) -> str:
    if fewest == whole:
        return f"Fewer blocks do worse by more than {100 * tolerance:.0f} points."
    what = "The classifier alone does" if fewest == 0 else f"The last {fewest} do"
    return f"{what} as well as all of them, within {100 * tolerance:.0f} points."


def _trend(correlation: float) -> str:
    if correlation < -0.5:
        return ": where labels become smoother (smaller), accuracy is higher, as the paper says."
    if correlation > 0.5:
        return ": here labels are rougher where accuracy is higher, against the paper."
    return ": smoothness does not show here how well a network transfers."


def _verdict(windows: dict[int, float], fewest: int, whole: int, tolerance: float) -> tuple[Agreement, str]:
    claim = "The paper: early layers carry general motion, so that training late layers alone transfers"
    late = fewest <= whole // 2
    helps = windows[fewest] >= windows[FROM_RANDOM] - tolerance
    found = (
        f"the last {fewest} of {whole} blocks reach {100 * windows[fewest]:.0f}%, all of them "
        f"{100 * windows[whole]:.0f}%, all from random weights {100 * windows[FROM_RANDOM]:.0f}%"
    )
    if late and helps:
        return "agrees", f"{claim}. Here {found}."
    if late or (helps and fewest < whole):
        return "partly", f"{claim}. Here {found}."
    return "disagrees", f"{claim}. Here {found}."
