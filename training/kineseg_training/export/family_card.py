"""The model card of a family's bundle."""

from __future__ import annotations

from kineseg.v1 import bundle_pb2

_PAPERS = {
    "seq2seq-tied-gru": (
        "A tied GRU that reads motion and goes on with it by itself, after Su & Shlizerman (arXiv 1905.12176). Per "
        "frame it gives a prediction of the next, how surprising this one was, and an embedding of its decoder's state."
    ),
    "composite-lstm": (
        "An LSTM encoder trained with a decoder for the past and one for the future, after Srivastava, Mansimov & "
        "Salakhutdinov (arXiv 1502.04681). Per frame it gives the future decoder's first frame, how surprising this "
        "one was, and an embedding of the encoder's state."
    ),
    "stgcn": (
        "A spatio-temporal graph convolutional network that recognises actions from a window of frames, after Yan, "
        "Xiong & Lin (arXiv 1801.07455) as analysed by Das, Shekkizhar & Ortega (arXiv 2312.07777). Per frame it gives "
        "the probability of each action given the window that ends there, an embedding of what the network has made of "
        "it, and how far that is from every action it knows. It does not predict: its prediction is the frame again."
    ),
}


def family_card(manifest: bundle_pb2.BundleManifest) -> str:
    """Markdown: what the model is, what it learned from, and its figures."""
    figures = "\n".join(f"- {name.replace('_', ' ')}: {value:g}" for name, value in sorted(manifest.metrics.items()))
    data = manifest.training_data
    sections = [
        f"# {manifest.name} {manifest.version}",
        _PAPERS[manifest.family],
        f"{len(manifest.channels)} channels at {manifest.frame_rate_hz:g} frames a second; an embedding of "
        f"{manifest.embedding_dim} dimensions; {sum(part.size for part in manifest.state)} numbers of state a stream.",
    ]
    if manifest.classes:
        sections.append("Actions that it knows: " + ", ".join(manifest.classes) + ".")
    sections += [
        "## Data",
        data.description or "Not described.",
        f"{data.recordings} clips, {data.duration_s:.0f} s; fingerprint `{data.fingerprint}`.",
        "## Licence and credit",
        manifest.licence or "Not stated.",
        "## Figures on held-out clips",
        figures,
    ]
    return "\n\n".join(sections) + "\n"
