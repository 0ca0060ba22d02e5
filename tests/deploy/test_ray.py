"""Servers and archives on a real Ray, where it is installed: pip install -e '.[dev,ray]', see deploy/ray."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kineseg
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from kineseg.batch import Choices, run
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from evaluation.chaos.ray_servers import NoRay, RayServers, local_ray, wait_until
from evaluation.ports import free_port
from tests.sdk.test_resume import Motion, events_of, reconnections
from tests.service.stores.servers import redis_server
from tests.service.talk import motion

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
RATE = 30
STREAMS = 50
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(local_ray())
        except NoRay as error:
            pytest.skip(str(error))
    gc.collect()  # here, where what Ray leaves behind is no error


@pytest.fixture(params=["sqlite", "redis"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, tiny: Path) -> Iterator[dict[str, Any]]:
    """Settings of servers that share a store."""
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    settings = {"bundles": str(tiny), "packaged_bundle": False, "store_key": str(key), "store_interval_s": 0.2}
    if request.param == "sqlite":
        yield settings | {"store": f"sqlite:{tmp_path / 'streams.db'}"}
        return
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        yield settings | {"store": server.url}


def undisturbed(tiny: Path, takes: list[Motion]) -> list[list[Any]]:
    """The events of each."""
    settings = Settings(bundles=(tiny,), packaged_bundle=False, port=0, metrics_port=None)
    found = []
    with BackgroundServer(settings) as server, kineseg.Client(server.address) as client:
        for take in takes:
            with client.stream(rate=RATE) as stream:
                stream.send(take)
                stream.end_input()
                found.append(events_of(list(stream)))
    return found


@pytest.mark.parametrize("stored", ["redis"], indirect=True)
def test_fifty_streams_go_on_when_their_replica_is_killed(ray: Any, stored: dict[str, Any], tiny: Path) -> None:
    from kineseg_service.on_ray.ingress import Ingress, follow

    takes = [motion(600, seed=seed) for seed in range(5)]
    with ExitStack() as stack:
        servers = stack.enter_context(RayServers({"min_replicas": 2, "settings": stored}))
        servers.wait_for(2)
        ingress = stack.enter_context(Ingress(f"127.0.0.1:{free_port()}", places=4))
        ingress.serve(servers.addresses())
        stop = threading.Event()
        following = threading.Thread(target=follow, args=(ingress, servers.directory, stop))
        following.start()
        stack.callback(following.join)
        stack.callback(stop.set)

        client = stack.enter_context(kineseg.Client(ingress.listen))
        streams = [stack.enter_context(client.stream(rate=RATE)) for _ in range(STREAMS)]
        items: list[list[Any]] = [[] for _ in streams]

        def send(begin: int, end: int) -> None:
            for at in range(begin, end, 30):
                for number, stream in enumerate(streams):
                    stream.send(takes[number % 5][at : at + 30])
                    items[number] += stream.poll()

        send(0, 300)
        for stream in streams:
            stream.flush()
        # One connection has all of them: they are at one replica.
        wait_until(lambda: sorted(each["streams"] for each in servers.replicas()) == [0, STREAMS], "they are known")
        [killed] = [each for each in servers.replicas() if each["streams"]]
        os.kill(killed["pid"], signal.SIGKILL)
        send(300, 600)
        for number, stream in enumerate(streams):
            stream.end_input()
            items[number] += stream
        servers.wait_for(2)  # Ray has put another one in its place
        assert killed["pid"] not in {each["pid"] for each in servers.replicas()}
    expected = undisturbed(tiny, takes)
    for number, stream in enumerate(streams):
        assert stream.error is None
        assert events_of(items[number]) == expected[number % 5]
        assert len(reconnections(items[number])) >= 1


@pytest.mark.parametrize("stored", ["sqlite"], indirect=True)
def test_replicas_follow_the_open_streams_and_drain_when_they_go(ray: Any, stored: dict[str, Any], tiny: Path) -> None:
    take = motion(600)
    choices = {"max_replicas": 2, "streams_per_replica": 4, "upscale_delay_s": 0.5, "downscale_delay_s": 0.5,
               "window_s": 1.0, "settings": stored}  # fmt: skip
    with ExitStack() as stack:
        servers = stack.enter_context(RayServers(choices))
        [first] = servers.wait_for(1)
        client = stack.enter_context(kineseg.Client(first["address"]))
        others = [stack.enter_context(client.stream(rate=RATE)) for _ in range(5)]
        two = servers.wait_for(2)
        assert {each["metrics"] for each in two} != {None}
        [second] = [each for each in two if each["pid"] != first["pid"]]
        assert servers.addresses()[0] == second["address"]  # where there are fewer streams

        both = first["address"], second["address"]
        clients = [stack.enter_context(kineseg.Client(order)) for order in (both, both[::-1])]
        streams = [stack.enter_context(one.stream(rate=RATE)) for one in clients]
        for stream in streams:
            stream.send(take[:300])
            stream.flush()
        wait_until(lambda: sorted(each["streams"] for each in servers.replicas()) == [1, 6], "each has its streams")
        for other in others:
            other.end_input()
            list(other)
        [left] = servers.wait_for(1)
        wait_until(lambda: servers.replicas()[0]["streams"] == 2, "the stream of the other is here")
        items = []
        for stream in streams:
            stream.send(take[300:])
            stream.end_input()
            items.append(list(stream))
    assert left["address"] in both
    assert [events_of(each) for each in items] == undisturbed(tiny, [take]) * 2
    assert sorted(len(reconnections(each)) for each in items) == [0, 1]


def test_the_configuration_that_is_shipped_is_an_application(ray: Any) -> None:
    from kineseg_service.on_ray.application import Choices as Arguments
    from ray.serve.schema import ServeDeploySchema

    configuration = yaml.safe_load((ROOT / "deploy/ray/serve.yaml").read_text())
    ServeDeploySchema.model_validate(configuration)
    [application] = configuration["applications"]
    assert application["import_path"] == "kineseg_service.on_ray.application:application"
    assert Arguments.model_validate(application["args"]).settings["store"].startswith("redis")
    with pytest.raises(ValueError, match="max_replicas"):
        Arguments(min_replicas=3, max_replicas=2)
    with pytest.raises(ValueError, match="tick_s"):
        Arguments(settings={"tick_s": 7})


def test_an_archive_on_ray_is_the_same_table_and_goes_on_where_it_was_cut(ray: Any, tmp_path: Path) -> None:
    files = []
    for seed in range(3):
        made = generate(seed, rate=60.0, actions=("walk", "squat"), n_segments=2)
        assert made.positions is not None
        files.append(tmp_path / f"take_{seed}.npz")
        np.savez(files[-1], positions=made.positions, rate=made.rate, joints=np.array(made.joints))
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(b"PK\x03\x04 no recording")
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    stop = threading.Event()
    cut = run(files, there, Choices(), workers=1, on_ray=True, on_done=lambda _: stop.set(), stop=stop)
    assert (cut.left, cut.segments) == (2, None)
    report = run([*files, damaged], there, Choices(), on_ray=True)
    assert report.kept == 1
    [failed] = report.failed
    assert failed.file == str(damaged)
    run(files, here, Choices(), workers=1)
    assert pq.read_table(there).to_pylist() == pq.read_table(here).to_pylist()

    with pytest.raises(kineseg.KinesegError, match="no_such"):
        run(files, tmp_path / "none.parquet", Choices(model="no_such"), on_ray=True)


async def test_a_directory_without_servers_gives_no_empty_list_of_addresses() -> None:
    directory = pytest.importorskip(
        "kineseg_service.on_ray.directory", reason="needs kineseg[ray]", exc_type=ImportError
    )
    exceptions = pytest.importorskip("ray.serve.exceptions")

    class Gone:
        def broadcast(self, _: str) -> Any:
            raise exceptions.DeploymentUnavailableError("they are starting")

    asked = directory.Directory(Gone())
    answer = await asked(SimpleNamespace(url=SimpleNamespace(path="/addresses")))
    assert answer.status_code == 503
    assert await asked(SimpleNamespace(url=SimpleNamespace(path="/"))) == {"replicas": []}
