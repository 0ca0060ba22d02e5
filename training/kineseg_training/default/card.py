"""The model card that lies beside a bundle."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg.v1 import bundle_pb2

from kineseg_training.default.checkpoint import Checkpoint
from kineseg_training.export.features import Block

_BLOCKS: dict[Block, str] = {
    "pose": "the posture",
    "speed": "the root of each channel's speed",
    "state": "the hidden state of the recurrent cell",
}


def model_card(
    manifest: bundle_pb2.BundleManifest, checkpoint: Checkpoint, blocks: Sequence[Block], limits: Sequence[str]
) -> str:
    """Markdown: what the model is, what it learned from, how well it does, where it ends."""
    metrics = manifest.metrics
    best = min(checkpoint.epochs, key=lambda epoch: epoch.validation_loss)
    hidden = checkpoint.model_settings.hidden
    rows = [
        ("one frame ahead", metrics["held_out_one_step"], metrics["held_out_zero_velocity_one_step"]),
        (
            f"{checkpoint.recipe['target']} frames ahead, own predictions fed back",
            metrics["held_out_rollout"],
            metrics["held_out_zero_velocity_rollout"],
        ),
    ]
    table = "\n".join(f"| {name} | {ours:.4f} | {still:.4f} |" for name, ours, still in rows)
    sections = [
        f"# {manifest.name} {manifest.version}",
        f"A recurrent predictor of motion ({manifest.family}, {hidden} units, encoder and decoder tied, residual "
        f"output) over {len(manifest.channels)} channels at {manifest.frame_rate_hz:g} frames a second, as one "
        "streaming step. Per frame it gives a prediction of the next frame, how surprising this one was, and an "
        f"embedding of {manifest.embedding_dim} dimensions for telling actions apart.",
        "The embedding is a linear map of " + ", ".join(_BLOCKS[block] for block in blocks) + ", in a temporal metric "
        "learned without labels: down with what varies within a second or two, up with what varies over the corpus.",
        "Surprise is the worst joint's squared prediction error relative to what is typical of that joint, over the "
        "middle joint's to the power of 3/4: one joint that does what the others do not is what it is about.",
        "## Data",
        manifest.training_data.description or "Not described.",
        f"{manifest.training_data.recordings} recordings, {manifest.training_data.duration_s:.0f} s; fingerprint "
        f"`{manifest.training_data.fingerprint}`.",
        "## Licence and credit",
        manifest.licence or "Not stated.",
        "## Figures",
        f"Best of {len(checkpoint.epochs)} epochs: number {best.epoch}. Mean squared error on held-out takes "
        f"({metrics['held_out_windows']:.0f} windows), in channels normalised to the training data, next to a "
        "baseline that repeats the last frame:",
        f"| | model | nothing moves |\n|---|---|---|\n{table}",
    ]
    if limits:
        sections += ["## Limits", *limits]
    return "\n\n".join(sections) + "\n"
