"""What the experiment with few labels says: tables, pictures and a verdict, all from its results."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table
from kineseg_training.studies.srivastava_2015.few_labels.data import EVERY, Recognition
from kineseg_training.studies.srivastava_2015.few_labels.pictures import (
    CURVES_FILE,
    DIFFERENCES_FILE,
    draw_curves,
    draw_differences,
)
from kineseg_training.studies.srivastava_2015.few_labels.results import (
    CONFIDENCE,
    NEAREST,
    RANDOM,
    Interval,
    Metric,
    Pair,
    Results,
    Trained,
    compare,
)
from kineseg_training.studies.srivastava_2015.few_labels.task import ALL, FewLabelsSettings

PAPER = "Srivastava, Mansimov & Salakhutdinov 2015"

CourseRow = tuple[str | float | int, ...]


def exhibit(
    context: RunContext,
    settings: FewLabelsSettings,
    sets: Sequence[Recognition],
    sources: tuple[str, ...],
    results: Results,
) -> Exhibit:
    """Draw, tabulate and conclude."""
    names = [data.name for data in sets]
    pairs = [compare(results, settings, name, source) for name in names for source in sources]
    plain = [compare(results, settings, name, source, "accuracy") for name in names for source in sources]
    draw_curves(context.out, results, settings, names, sources)
    draw_differences(context.out, settings, pairs)
    agreement, verdict = conclude(pairs)
    return Exhibit(
        title="Recognising actions with few labels, with and without unsupervised pretraining",
        paper=PAPER,
        command=(
            f"kineseg-train composite few-labels {context.out.name} --preset {context.preset} --seed {context.seed}"
        ),
        findings=(
            *(_task(data, settings) for data in sets),
            *(_finding(pair, other, settings) for pair, other in zip(pairs, plain, strict=True)),
            *(_others(results, settings, name, sources) for name in names),
        ),
        agreement=agreement,
        verdict=verdict,
        pictures=(
            Picture(
                CURVES_FILE,
                "Share of the test windows named rightly, averaged over the classes, against the number of labelled "
                "windows of a class, for each data set recognised (rows) and pretrained on without labels (columns). "
                f"Lines are means over {settings.seeds} seeds, bands one standard deviation; each seed labels other "
                "windows and draws other initial weights. Dashed: the encoder stays as pretrained. Nearest neighbour: "
                "on mean and standard deviation of each channel over the window.",
            ),
            Picture(
                DIFFERENCES_FILE,
                "What starting from the pretrained encoder adds to balanced accuracy over starting at random, all else "
                f"equal: mean over {settings.seeds} seeds of the paired difference, with its {100 * CONFIDENCE:.0f} % "
                "interval (Student's t). Intervals are for each point by itself.",
            ),
        ),
        tables=(
            _summary(pairs, settings),
            _scores(results, settings, pairs, "balanced", "Balanced accuracy"),
            _scores(results, settings, plain, "accuracy", "Accuracy (classes weigh as they have test windows)"),
            *(_without(results, settings, data, sources) for data in sets if data.clips.shared_takes),
        ),
        figures={
            f"{pair.recognised} from {pair.source}, {name}": 100 * value.mean
            for pair in pairs
            for name, value in (("few labels", pair.few), ("many labels", pair.many), ("shrinkage", pair.shrinkage))
        },
    )


def conclude(pairs: Sequence[Pair]) -> tuple[Agreement, str]:
    """Agreement with the paper, and the sentence that says so; from the intervals of the paired differences alone.

    The paper's claim has three parts: pretraining helps where labels are few; the more the fewer; on other data too.
    """
    own, other = [pair for pair in pairs if pair.own], [pair for pair in pairs if not pair.own]
    helped, shrinks = [pair.few.sign > 0 for pair in own], [pair.shrinkage.sign > 0 for pair in own]
    foreign = [pair.few.sign > 0 for pair in other]
    harmed = [pair for pair in pairs if pair.few.sign < 0]
    agreement: Agreement = "partly"
    if all(helped) and all(shrinks) and any(foreign) and not harmed:
        agreement = "agrees"
    elif not any(helped) and not any(foreign):
        agreement = "disagrees"
    verdict = (
        "The paper: pretraining helps recognition, the more the fewer the labels, also on other data. Here, with few "
        f"labels, pretraining on the data set that is recognised helped {_times(helped)}, and more than with many "
        f"labels {_times(shrinks)}; pretraining on other data helped {_times(foreign)}"
    )
    if harmed:
        verdict += ", and harmed when " + _listed([f"{_pair(pair)} ({_points(pair.few)})" for pair in harmed])
    return agreement, verdict + "."


def _times(said: Sequence[bool]) -> str:
    return f"in {sum(said)} of {len(said)} cases"


def _task(data: Recognition, settings: FewLabelsSettings) -> str:
    """What is to be recognised, in one paragraph."""
    counts = np.bincount(data.pool.labels)
    actions = data.clips.actions
    least, most = actions[int(counts.argmin())], actions[int(counts.argmax())]
    text = (
        f"{data.name}: {len(actions)} classes ({', '.join(actions)}); {len(data.pool)} windows of {settings.window} "
        f"frames, {EVERY} frames apart, that may be labelled (fewest: {least}, {counts.min()}; most: {most}, "
        f"{counts.max()}) and {len(data.test)} test windows."
    )
    shared = data.clips.shared_takes
    if not shared:
        return f"{text} All test windows are from other takes."
    return f"{text} Test windows are from other takes but for {_listed(shared)}, of which there is one take only."


def _finding(pair: Pair, plain: Pair, settings: FewLabelsSettings) -> str:
    """One pair in words."""
    few, many = _numbers(settings.few), _numbers(settings.many)
    effect = {1: "helps", 0: "makes no difference that these seeds could show", -1: "harms"}[pair.few.sign]
    course = {
        1: "the gain is larger with few labels than with many",
        0: "whether the gain changes with the number of labels is not clear",
        -1: "the gain is larger with many labels than with few",
    }[pair.shrinkage.sign]
    text = (
        f"{pair.recognised} recognised, pretrained on {pair.source}: with few labels ({few} of a class) pretraining "
        f"{effect}: {_points(pair.few)}; with many ({many}): {_points(pair.many)}; {course}: {_points(pair.shrinkage)}."
    )
    if plain.few.sign != pair.few.sign:
        text += f" By plain accuracy, few labels: {_points(plain.few)}."
    return text


def _others(results: Results, settings: FewLabelsSettings, name: str, sources: Sequence[str]) -> str:
    """How the other ways compare where labels are few: nearest neighbour, and the readout alone."""

    def mean(start: str, trained: Trained = "all") -> float:
        found = [results.over_seeds("balanced", name, start, n, settings.seeds, trained) for n in settings.few]
        return 100 * float(np.mean(found))

    ways = {
        "an LSTM started at random": mean(RANDOM),
        "the nearest neighbour of the pooled window": mean(NEAREST),
        "a readout of an untrained LSTM": mean(RANDOM, "readout"),
    }
    for source in sources:
        ways[f"an LSTM started from {source}"] = mean(source)
        ways[f"a readout of the LSTM of {source}"] = mean(source, "readout")
    ordered = sorted(ways, key=lambda way: -ways[way])
    return (
        f"{name}, few labels, balanced accuracy in % from best to worst: "
        + "; ".join(f"{way} {ways[way]:.1f}" for way in ordered)
        + "."
    )


def _summary(pairs: Sequence[Pair], settings: FewLabelsSettings) -> Table:
    rows: list[CourseRow] = [
        (pair.recognised, pair.source, *map(_points, (pair.few, pair.many, pair.shrinkage))) for pair in pairs
    ]
    return Table(
        ("recognised", "pretrained on", "few labels", "many labels", "few minus many"),
        tuple(rows),
        f"Pretrained minus random, points of balanced accuracy: mean over {settings.seeds} seeds of the paired "
        f"difference ± its standard error, and the {100 * CONFIDENCE:.0f} % interval. Few: mean over "
        f"{_numbers(settings.few)} labelled windows of a class; many: over {_numbers(settings.many)}.",
    )


def _scores(results: Results, settings: FewLabelsSettings, pairs: Sequence[Pair], metric: Metric, what: str) -> Table:
    rows: list[CourseRow] = []
    for pair in pairs:
        for labels, difference in zip(settings.ordered, pair.by_labels, strict=True):
            cells: list[float] = []
            for start in (RANDOM, pair.source):
                found = 100 * results.over_seeds(metric, pair.recognised, start, labels, settings.seeds)
                cells += [float(found.mean()), float(found.std(ddof=1))]
            cells += [100 * difference.mean, 100 * difference.error]
            for start in (RANDOM, pair.source):
                found = results.over_seeds(metric, pair.recognised, start, labels, settings.seeds, "readout")
                cells.append(100 * float(found.mean()))
            nearest = results.over_seeds(metric, pair.recognised, NEAREST, labels, settings.seeds)
            cells.append(100 * float(nearest.mean()))
            rows.append((pair.recognised, pair.source, _numbers((labels,)), *cells))
    columns = ("recognised", "pretrained on", "labels", "random", "± (seeds)", "pretrained", "± (seeds)")
    return Table(
        (*columns, "difference", "± (error)", "random, readout", "pretrained, readout", "nearest"),
        tuple(rows),
        f"{what} on the test windows, %: mean and standard deviation over {settings.seeds} seeds; the paired "
        "difference pretrained minus random with its standard error; means where the readout alone was trained, and "
        "of the nearest neighbour.",
    )


def _without(results: Results, settings: FewLabelsSettings, data: Recognition, sources: Sequence[str]) -> Table:
    metrics: tuple[Metric, ...] = ("balanced_own_take", "accuracy_own_take")
    rows: list[CourseRow] = []
    for source in sources:
        pairs = [compare(results, settings, data.name, source, metric) for metric in metrics]
        for number, labels in enumerate(settings.ordered):
            cells: list[float] = []
            for metric, pair in zip(metrics, pairs, strict=True):
                for start in (RANDOM, source):
                    found = results.over_seeds(metric, data.name, start, labels, settings.seeds)
                    cells.append(100 * float(found.mean()))
                cells += [100 * pair.by_labels[number].mean, 100 * pair.by_labels[number].error]
            rows.append((source, _numbers((labels,)), *cells))
    columns = ("pretrained on", "labels", "balanced: random", "pretrained", "difference", "± (error)")
    return Table(
        (*columns, "accuracy: random", "pretrained", "difference", "± (error)"),
        tuple(rows),
        f"{data.name} without the test windows of {_listed(data.clips.shared_takes)}, whose training and test windows "
        "are parts of one take; %. It may still be named, wrongly.",
    )


def _points(of: Interval) -> str:
    """A difference in points, for people."""
    return f"{100 * of.mean:+.1f} ± {100 * of.error:.1f} [{100 * of.low:+.1f}, {100 * of.high:+.1f}]"


def _pair(pair: Pair) -> str:
    return f"{pair.recognised} was recognised after pretraining on {pair.source}"


def _numbers(labels: Sequence[int]) -> str:
    return ", ".join("all" if n == ALL else str(n) for n in labels)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
