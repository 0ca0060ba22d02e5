"""What a GPU costs is measured where there is one, and where there is none the reason is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.inference.cuda import CudaDevice
from kineseg_core.inference.providers import cuda_problem, open_cpu, open_cuda

from evaluation.bench.gpu import measure, report
from tests.core.cpu_device import CpuDevice
from tests.core.tiny_bundle import TinyModel, write_tiny_bundle


def test_the_table_is_held_against_the_graph_alone(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "b", TinyModel(channels=59)))
    costs = measure(bundle, CpuDevice(), lambda graph: open_cpu(graph, 1), (1, 70), 0.02)
    assert [cost.batch for cost in costs] == [1, 70]
    for cost in costs:
        assert min(cost.step_us, cost.bare_us, cost.captured_us) > 0
        assert cost.share_of_bare == cost.bare_us / cost.step_us


@pytest.mark.gpu
def test_on_a_gpu_all_loops_run(tmp_path: Path) -> None:
    if problem := cuda_problem():
        pytest.skip(problem)
    bundle = load_bundle(write_tiny_bundle(tmp_path / "b", TinyModel(channels=59)))
    assert len(measure(bundle, CudaDevice(), open_cuda, (1, 70), 0.2)) == 2


def test_without_a_gpu_the_part_says_why() -> None:
    problem = cuda_problem()
    if not problem:
        pytest.skip("there is a CUDA device")
    rows, table = report(1.0)
    assert rows == [{"skipped": problem}]
    assert problem in str(table.title)
