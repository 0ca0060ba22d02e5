"""What a composite LSTM makes of times that it was not trained on: further back, further on, after longer inputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.data import LabelledClips
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.studies.exhibit import Agreement, Exhibit, Picture, RunContext, Table
from kineseg_training.studies.srivastava_2015.extrapolation.results import (
    BACK,
    BEFORE,
    FURTHER,
    ON,
    READ,
    TRAINED,
    TWICE,
    Reach,
    Rhythm,
    after_longer_inputs,
    decoded,
    length_needed,
    reach,
    rhythm,
)
from kineseg_training.studies.srivastava_2015.moving_shapes import ShapesSettings, moving_shapes, patched, pictures
from kineseg_training.studies.srivastava_2015.pictures import draw_films, draw_poses, draw_reach, draw_units
from kineseg_training.studies.srivastava_2015.scores import MEAN, STAYS, evaluation_windows
from kineseg_training.studies.srivastava_2015.sequences import RATE, cmu_poses
from kineseg_training.studies.srivastava_2015.task import SIZES
from kineseg_training.studies.srivastava_2015.trained import trained_composite, trained_shapes

PAPER = "Srivastava, Mansimov & Salakhutdinov 2015"
UNITS_RUN = 100  # frames that the units are watched for, as in the paper
_RHYTHMIC = 0.5  # autocorrelation
_FILMS = 100
_FILMS_SEED = 3_000_000
_SHOWN = ("walking", "jumping", "directing_traffic")
_UNITS_SHOWN = 80


def extrapolation(context: RunContext) -> Exhibit:
    """Let the decoders run further back and on than in training, on motion and on films of moving shapes."""
    size = SIZES[context.preset]
    sequences, test = cmu_poses(context.needs_cmu())
    model, films_model = trained_composite(context, sequences), trained_shapes(context)

    by_action = evaluation_windows(test, size.test_windows, length_needed(size.training))
    motion = model.normalise(torch.from_numpy(np.concatenate(list(by_action.values()))))
    poses = reach(model, motion, torch.zeros(motion.shape[2]), size.training)
    draw_reach(context.out / "poses_error.png", poses, RATE, "error (squared normalised channels)")
    longer = _longer(context, model, test)
    shown = _draw_poses(context, model, by_action)

    films = _films(context, _FILMS, length_needed(size.shapes_training))
    shapes = reach(films_model, films, films.mean(dim=(0, 1)), size.shapes_training)
    draw_reach(context.out / "shapes_error.png", shapes, 0.0, "error (squared grey values)")
    _draw_films(context, films_model)
    rhythms = _draw_units(context, model, motion, _middle(by_action, _SHOWN[0]), films_model, films)
    agreement, verdict = _verdict(poses, shapes, rhythms["shapes"])
    return Exhibit(
        title="Beyond the trained length",
        paper=PAPER,
        command=f"kineseg-train composite extrapolation OUT --preset {context.preset}",
        findings=_findings(poses, shapes, longer, rhythms),
        agreement=agreement,
        verdict=verdict,
        pictures=_pictures(context, poses, shapes, shown),
        tables=(_table(poses, shapes), _longer_table(longer, poses)),
        figures={
            f"{name}, {part}": found.mean(found.model, part)
            for name, found in (("motion", poses), ("shapes", shapes))
            for part in found.parts()
        }
        | {f"{name}, rhythm of the units": found.strength for name, found in rhythms.items()}
        | {f"{name}, share of units that move": found.moving for name, found in rhythms.items()},
    )


def _longer(context: RunContext, model: CompositeLSTM, test: LabelledClips) -> dict[int, tuple[float, float]]:
    size = SIZES[context.preset]
    length = ON * size.training.source + size.training.target
    windows = evaluation_windows(test, size.test_windows, length)
    sequences = model.normalise(torch.from_numpy(np.concatenate(list(windows.values()))))
    return after_longer_inputs(model, sequences, size.training)


def _films(context: RunContext, count: int, length: int, shapes: int = 2) -> Tensor:
    """Films as the model sees them, ``(count, length, C)``, none of which it was trained on."""
    rng = np.random.default_rng((_FILMS_SEED, shapes))
    films = moving_shapes(count, length, rng, ShapesSettings(count=shapes))
    return torch.from_numpy(patched(films, SIZES[context.preset].patch))


def _draw_poses(
    context: RunContext, model: CompositeLSTM, by_action: Mapping[str, NDArray[np.float32]]
) -> tuple[str, ...]:
    """The middle one of the test windows of some actions; which."""
    training = SIZES[context.preset].training
    names = [name for name in _SHOWN if name in by_action] or list(by_action)[: len(_SHOWN)]
    examples = []
    for name in names[:2]:
        truth = by_action[name][len(by_action[name]) // 2]
        made = model.restore(decoded(model, model.normalise(torch.from_numpy(truth))[None], training))[0]
        examples.append((name.replace("_", " "), truth.astype(np.float64), made.double().numpy()))
    first = 1 - BACK * training.source
    every = max(1, training.source // 4)
    # Far ahead the figures hardly change any more, and are left out so that those shown can be seen.
    stop = BACK * training.source + 2 * training.target
    examples = [(name, truth[:stop], made[:stop]) for name, truth, made in examples]
    draw_poses(context.out / "poses.png", examples, first, training.source, training.target, RATE, every)
    return tuple(name for name, _, _ in examples)


@torch.no_grad()
def _draw_films(context: RunContext, model: CompositeLSTM) -> None:
    training = SIZES[context.preset].shapes_training
    source, ahead = training.source, 2 * training.target
    examples = []
    for shapes, count, name in ((2, 2, "two shapes"), (1, 1, "one shape"), (3, 1, "three shapes")):
        films = _films(context, count, source + ahead, shapes)
        _, state = model.encode(films[:, :source])
        past = model.reconstruct(state, source).flip(1)
        made = torch.cat([past, model.predict(state, ahead, films[:, source - 1])], dim=1)
        examples += [
            (name, pictures(film.numpy()), pictures(frames.numpy())) for film, frames in zip(films, made, strict=True)
        ]
    draw_films(context.out / "shapes.png", examples, source, training.target)


def _middle(by_action: Mapping[str, NDArray[np.float32]], action: str) -> int:
    """Row of the middle window of an action, or of all if there is none of it, where all are in one array."""
    if action not in by_action:
        return sum(map(len, by_action.values())) // 2
    before = list(by_action)[: list(by_action).index(action)]
    return sum(len(by_action[name]) for name in before) + len(by_action[action]) // 2


@torch.no_grad()
def _draw_units(
    context: RunContext, model: CompositeLSTM, motion: Tensor, shown: int, films_model: CompositeLSTM, films: Tensor
) -> dict[str, Rhythm]:
    """Let the future decoders run on, draw what units do after one sequence; the rhythm of all, beyond training."""
    size = SIZES[context.preset]
    panels, trained, found = [], [], {}
    for name, one, sequences, training, rate, row in (
        ("motion", model, motion, size.training, RATE, shown),
        ("shapes", films_model, films, size.shapes_training, 0.0, 0),
    ):
        read = sequences[:, (BACK - 1) * training.source : BACK * training.source]
        _, state = one.encode(read)
        _, states = one.future_decoder()(state, UNITS_RUN, before=read[:, -1])
        activity = states.numpy()
        found[name] = rhythm(activity[:, training.target :])
        some = min(_UNITS_SHOWN, activity.shape[2])
        title = f"Decoder of the future, {name}: {some} of its {activity.shape[2]} units"
        panels.append((title, activity[row, :, :some], rate))
        trained.append(training.target)
    draw_units(context.out / "units.png", panels, trained)
    return found


def _findings(
    poses: Reach, shapes: Reach, longer: Mapping[int, tuple[float, float]], rhythms: Mapping[str, Rhythm]
) -> tuple[str, ...]:
    said = []
    for name, found in (("Motion", poses), ("Moving shapes", shapes)):
        own = {part: found.mean(found.model, part) for part in found.parts()}
        still = {part: found.mean(found.baselines[STAYS], part) for part in found.parts() if part != READ}
        middle = found.mean(found.baselines[MEAN], READ)
        said.append(
            f"{name}: what was read is given back with an error of {own[READ]:.3g} (the mean frame: {middle:.3g}). "
            f"Ahead it is {own[TRAINED]:.3g} as far as trained (standing still: {still[TRAINED]:.3g}), "
            f"{own[TWICE]:.3g} up to twice as far ({still[TWICE]:.3g}), {own[FURTHER]:.3g} further on "
            f"({still[FURTHER]:.3g}). Decoded backwards beyond what was read, it is {own[BEFORE]:.3g} (the first frame "
            f"read, standing still: {still[BEFORE]:.3g})."
        )
    lengths = list(longer)
    short, long = longer[lengths[0]], longer[lengths[-1]]
    said.append(
        f"After reading {lengths[-1]} frames instead of the {lengths[0]} trained on, the same future is predicted with "
        f"an error of {long[0]:.3g} instead of {short[0]:.3g}, and the last {lengths[0]} frames are given back with "
        f"one of {long[1]:.3g} instead of {short[1]:.3g}: the encoder "
        + ("stands longer inputs." if long[0] < 1.1 * short[0] else "suffers from longer inputs.")
    )
    for name, heard in rhythms.items():
        said.append(
            f"Units of the decoder of the future ({name}), from the trained length to {UNITS_RUN} frames: "
            f"{100 * heard.moving:.0f} % still move, their autocorrelation comes back to {heard.strength:.2f} (median)"
            + (f" after {heard.period:.0f} frames." if np.isfinite(heard.period) else ".")
        )
    return tuple(said)


def _verdict(poses: Reach, shapes: Reach, heard: Rhythm) -> tuple[Agreement, str]:
    def better(found: Reach, part: str) -> bool:
        """Than all that needs no model: past the first moments, the mean frame is the one to beat."""
        rivals = [found.mean(baseline, part) for baseline in found.baselines.values()]
        return found.mean(found.model, part) < min(value for value in rivals if np.isfinite(value))

    within = [better(found, TRAINED) for found in (poses, shapes)]
    beyond = [better(found, TWICE) for found in (poses, shapes)]
    rhythmic = heard.strength > _RHYTHMIC
    held = sum([*within, *beyond, rhythmic])
    agreement: Agreement = "agrees" if held == 5 else "disagrees" if not held else "partly"
    names = ("motion", "shapes")

    def said(flags: list[bool]) -> str:
        yes = [name for name, flag in zip(names, flags, strict=True) if flag]
        return "holds for " + " and ".join(yes) if yes else "holds for neither motion nor shapes"

    return agreement, (
        "Claimed: the decoder of the future predicts what it was trained to, goes on sensibly beyond, and its units "
        f"stay periodic. Found, by having less error than all that needs no model: the first {said(within)}, the "
        f"second {said(beyond)}; the units that run on for shapes are {'' if rhythmic else 'not '}periodic "
        f"(autocorrelation {heard.strength:.2f})."
    )


def _table(poses: Reach, shapes: Reach) -> Table:
    rows = [
        (name, part, found.mean(found.model, part), *(_cell(found.mean(e, part)) for e in found.baselines.values()))
        for name, found in (("motion", poses), ("shapes", shapes))
        for part in found.parts()
    ]
    return Table(
        ("data", "frames", "model", *poses.baselines),
        tuple(rows),
        f"Mean squared error of {poses.sequences} windows of test takes of motion (normalised channels) and of "
        f"{shapes.sequences} films of two moving shapes (grey values). The models read {poses.source} and "
        f"{shapes.source} frames and were trained to predict {poses.target} and {shapes.target}. Before what was read, "
        "it is the first frame read that stays.",
    )


def _cell(value: float) -> str | float:
    return value if np.isfinite(value) else ""


def _longer_table(longer: Mapping[int, tuple[float, float]], poses: Reach) -> Table:
    return Table(
        ("frames read", "error of the prediction", f"error of the last {poses.source} frames, given back"),
        tuple((read, future, past) for read, (future, past) in longer.items()),
        f"The same {poses.target} frames of motion predicted after reading more and more before them; trained on "
        f"{poses.source}.",
    )


def _pictures(context: RunContext, poses: Reach, shapes: Reach, shown: tuple[str, ...]) -> tuple[Picture, ...]:
    size = SIZES[context.preset]
    models = (
        f"The conditional composite model ({size.hidden} units) was trained to read {poses.source} frames of motion, "
        f"give them back and predict {poses.target}"
    )
    seen = "64 x 64 pixels" if size.patch == 1 else f"means of {size.patch} x {size.patch} of the 64 x 64 pixels"
    shapes_models = (
        f"The composite model ({size.shapes_hidden} units, unconditioned) was trained for "
        f"{size.shapes_training.iterations} steps on films of two bouncing silhouettes ({seen}) to read "
        f"{shapes.source} frames, give them back and predict {shapes.target}"
    )
    return (
        Picture(
            "poses.png",
            f"Test motion and what the model makes of it: {' and '.join(shown)}, the middle one of the test windows of "
            f"each. {models}. Black: read; grey: not shown to the model; green: decoded backwards; orange: predicted; "
            "on a shaded ground: beyond what it was trained to do.",
        ),
        Picture(
            "poses_error.png",
            f"Error of motion along time, mean of {poses.sequences} windows of test takes. {models}; here it decodes "
            f"{BACK} times as far back and {ON} times as far ahead.",
        ),
        Picture(
            "shapes.png",
            f"Films and what the model makes of them. {shapes_models}; here it goes on for twice as long. Films of one "
            "and of three silhouettes, which it never saw in training, below.",
        ),
        Picture("shapes_error.png", f"Error of films along time, mean of {shapes.sequences} films. {shapes_models}."),
        Picture(
            "units.png",
            f"Activity of units of the decoders of the future that run on for {UNITS_RUN} frames by themselves, after "
            f"one test window of {_SHOWN[0]} and after one film. A rhythm shows as stripes.",
        ),
    )
