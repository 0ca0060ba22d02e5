"""One streaming step, written as a torch module, turned into the ONNX graph of a bundle."""

from __future__ import annotations

import logging
import warnings
from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

OPSET = 18
OUTPUTS = ("prediction", "surprise", "embedding", "next_state")
SCORES = "scores"


class StepModule(nn.Module, ABC):
    """What the service does with one frame of each stream.

    ``(frame [B,C], state [B,S]) -> (prediction [B,C], surprise [B], embedding [B,E], next_state [B,S])``, and for a
    recogniser ``scores [B,K]`` after these. A new stream's state is all zeros.

    Attributes:
        channels: C.
        parts: Names and sizes of the parts of the state, in order.
        embedding_dim: E.
        classes: K names of the actions that a recogniser knows; none for other models.
    """

    channels: int
    parts: tuple[tuple[str, int], ...]
    embedding_dim: int
    classes: tuple[str, ...] = ()

    @property
    def state_size(self) -> int:
        """S."""
        return sum(size for _, size in self.parts)

    @property
    def output_names(self) -> tuple[str, ...]:
        """What `forward` gives, in order."""
        return (*OUTPUTS, SCORES) if self.classes else OUTPUTS

    @abstractmethod
    def forward(self, frame: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """One step of B streams."""

    def unpacked(self, state: Tensor) -> list[Tensor]:
        """The parts of ``(B, S)`` states."""
        return list(torch.split(state, [size for _, size in self.parts], dim=1))

    @torch.no_grad()
    def run(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """All frames ``(T, C)`` of one stream in PyTorch; every output but the state, ``(T, ...)``."""
        state = torch.zeros(1, self.state_size)
        rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self.output_names}
        for frame in torch.from_numpy(np.asarray(frames, dtype=np.float32)):
            outputs = dict(zip(self.output_names, self(frame[None], state), strict=True))
            state = outputs["next_state"]
            for name, output in outputs.items():
                rows[name].append(output[0].numpy())
        return {name: np.stack(values) for name, values in rows.items() if name != "next_state"}


def graph_of(module: StepModule) -> bytes:
    """The serialised graph of a step, batch dynamic; equal modules give equal bytes."""
    module.eval()
    example = (torch.zeros(2, module.channels), torch.zeros(2, module.state_size))
    batch = torch.export.Dim("batch")
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about names of axes, and the exporter's own deprecations
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                input_names=["frame", "state"],
                output_names=list(module.output_names),
                dynamic_shapes={"frame": {0: batch}, "state": {0: batch}},
                opset_version=OPSET,
                verbose=False,
            )
    finally:
        quiet.setLevel(level)
    assert program is not None  # only the older exporter gives nothing
    proto = program.model_proto
    # Where in our sources each operator came from is no one's business, and no two machines agree on it.
    del proto.graph.metadata_props[:]
    proto.graph.doc_string = ""
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for values in (proto.graph.value_info, proto.graph.initializer, proto.graph.input, proto.graph.output):
        for value in values:
            value.doc_string = ""
            del value.metadata_props[:]
    graph: bytes = proto.SerializeToString(deterministic=True)
    return graph
