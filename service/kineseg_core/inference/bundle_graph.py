"""The graph of a bundle: whether it can be run, and takes and gives what the manifest says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import onnxruntime as ort

from kineseg_core.errors import BadBundle
from kineseg_core.inference.bundle_files import GRAPH
from kineseg_core.inference.graph_bounds import refused

if TYPE_CHECKING:
    from kineseg_core.inference.bundle import Bundle


def open_graph(bundle: Bundle) -> ort.InferenceSession:
    """Runs the graph of a bundle.

    Raises:
        BadBundle: It cannot be run, or its inputs and outputs are not those that the manifest asks for.
    """
    session = _opened(bundle)
    _check_shapes(bundle, session)
    return session


def _opened(bundle: Bundle) -> ort.InferenceSession:
    try:
        proto = onnx.load_model_from_string(bundle.graph)
        if reason := refused(proto):
            raise BadBundle(bundle.path, GRAPH, reason)
        onnx.checker.check_model(proto)
        return ort.InferenceSession(bundle.graph, _quiet_options(), providers=["CPUExecutionProvider"])
    except BadBundle:
        raise
    except Exception as error:  # onnx and ONNX Runtime raise a dozen unrelated kinds
        raise BadBundle(bundle.path, GRAPH, f"not a graph that ONNX Runtime can run ({first_line(error)})") from error


def _quiet_options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def first_line(error: Exception) -> str:
    """The beginning of what it says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _check_shapes(bundle: Bundle, session: ort.InferenceSession) -> None:
    C, S, E = len(bundle.channels), bundle.state_size, bundle.embedding_dim
    expected_inputs = {"frame": [C], "state": [S]}
    expected_outputs = {"prediction": [C], "surprise": [], "embedding": [E], "next_state": [S]}
    if bundle.classes:
        expected_outputs["scores"] = [len(bundle.classes)]
    for kind, nodes, expected in (
        ("input", session.get_inputs(), expected_inputs),
        ("output", session.get_outputs(), expected_outputs),
    ):
        if {node.name for node in nodes} != set(expected):
            names = ", ".join(sorted(node.name for node in nodes))
            reason = f"its {kind}s must be {', '.join(expected)}; they are {names}"
            if ("scores" in names) != bool(bundle.classes) and kind == "output":
                reason += "; scores is there if and only if the manifest has classes"
            raise BadBundle(bundle.path, GRAPH, reason)
        for node in nodes:
            if node.type != "tensor(float)":
                raise BadBundle(bundle.path, GRAPH, f"{kind} {node.name!r} is {node.type}, not tensor(float)")
            batch, rest = node.shape[:1], node.shape[1:]
            # Graphs may leave sizes of outputs open; the golden steps then show them.
            fits = len(rest) == len(expected[node.name]) and all(
                got == want or (kind == "output" and not isinstance(got, int))
                for got, want in zip(rest, expected[node.name], strict=True)
            )
            if not batch or isinstance(batch[0], int) or not fits:
                wanted = ["batch", *expected[node.name]]
                raise BadBundle(
                    bundle.path, GRAPH, f"{kind} {node.name!r} is {node.shape}, the manifest asks for {wanted}"
                )
