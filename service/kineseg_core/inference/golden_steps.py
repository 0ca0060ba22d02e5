"""The golden steps of a bundle: what its graph must give, step by step."""

from __future__ import annotations

import io
import threading
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from kineseg_core.errors import BadBundle
from kineseg_core.inference.bundle_files import GOLDEN, GRAPH
from kineseg_core.inference.bundle_graph import first_line

if TYPE_CHECKING:
    from kineseg_core.inference.bundle import Bundle


_MOST_GOLDEN_BYTES, _MOST_GOLDEN_STEPS = 64 << 20, 10_000
# Golden steps take milliseconds; a graph that takes longer than this for them is of no use, or means harm.
_GOLDEN_S = 60.0
# How far the probabilities of a golden step may be from adding up to 1.
_PROBABILITY_ERROR = 1e-2


def check_golden(bundle: Bundle, session: ort.InferenceSession, content: bytes) -> None:
    """Raises BadBundle unless the graph gives what the golden steps of its bundle say."""
    golden = _read_golden(bundle, content)
    state = np.zeros((1, bundle.state_size), np.float32)
    steps: dict[str, list[NDArray[np.float32]]] = {name: [] for name in _golden_outputs(bundle)}
    options = ort.RunOptions()
    too_late = threading.Timer(_GOLDEN_S, setattr, (options, "terminate", True))
    too_late.start()
    try:
        for frame in golden["frames"]:
            given = {"frame": frame[None], "state": state}
            *outputs, state = session.run([*steps, "next_state"], given, run_options=options)
            for rows, output in zip(steps.values(), outputs, strict=True):
                rows.append(output[0])
    except Exception as error:  # whatever the graph does wrong
        reason = f"its golden steps take longer than {_GOLDEN_S:g} s" if options.terminate else first_line(error)
        raise BadBundle(bundle.path, GRAPH, f"a golden step fails ({reason})") from error
    finally:
        too_late.cancel()
    for name, rows in steps.items():
        got, want = np.stack(rows), golden[name]
        if got.shape != want.shape:
            raise BadBundle(bundle.path, GOLDEN, f"{name} is {want.shape}, the graph gives {got.shape}")
        off = float(np.max(np.abs(got - want), initial=0)) / max(float(np.max(np.abs(want), initial=0)), 1e-30)
        if not off <= bundle.manifest.golden_tolerance:
            raise BadBundle(
                bundle.path,
                GOLDEN,
                f"the graph's {name} differs from the golden steps by {off:.3g} of their largest value, "
                f"allowed is {bundle.manifest.golden_tolerance:.3g}",
            )
    if bundle.classes:
        total = np.exp(golden["scores"].astype(np.float64)).sum(axis=1)
        if not np.allclose(total, 1.0, atol=_PROBABILITY_ERROR):
            raise BadBundle(
                bundle.path, GOLDEN, "scores must be logarithms of probabilities, which add up to 1 over the classes"
            )


def _golden_outputs(bundle: Bundle) -> tuple[str, ...]:
    """The outputs that golden steps are compared by."""
    return ("prediction", "surprise", "embedding", *(("scores",) if bundle.classes else ()))


def _read_golden(bundle: Bundle, content: bytes) -> dict[str, NDArray[np.float32]]:
    names = ("frames", *_golden_outputs(bundle))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(info.file_size for info in packed.infolist()) > _MOST_GOLDEN_BYTES:
                raise ValueError(f"unpacked they are larger than {_MOST_GOLDEN_BYTES >> 20} MiB")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            golden = {name: np.asarray(archive[name], np.float32) for name in names}
    except Exception as error:  # numpy raises whatever the bytes lead it to
        raise BadBundle(bundle.path, GOLDEN, f"must hold the arrays {', '.join(names)} ({error})") from error
    frames = golden["frames"]
    if frames.ndim != 2 or len(frames) == 0 or frames.shape[1] != len(bundle.channels):
        raise BadBundle(bundle.path, GOLDEN, f"frames is {frames.shape}, expected (frames, {len(bundle.channels)})")
    if len(frames) > _MOST_GOLDEN_STEPS:
        raise BadBundle(bundle.path, GOLDEN, f"it has {len(frames)} steps, at most {_MOST_GOLDEN_STEPS} are allowed")
    return golden
