"""`kineseg token`, and a server behind a locked door as its users see it: the five minutes of docs/security.md."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from kineseg_service.access.token_file import Tokens

from tests.cli.command import Command, start

TOKEN = re.compile(r"kineseg_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


def test_a_token_is_made_listed_and_revoked(kineseg: Command, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    made = kineseg(
        *("token", "new", "--file", file, "--tenant", "lab", "--role", "stream", "--role", "watch"),
        *("--expires", "90d", "--note", "room 2"),
    )
    assert made.status == 0
    found = TOKEN.fullmatch(made.out.strip())
    assert found is not None, "standard output is the token and nothing else"
    assert found[0] not in made.err
    assert found[1] in made.err
    [token] = Tokens.load(file)
    assert Tokens.load(file).find(found[0]) == token
    assert (token.tenant, sorted(token.roles), token.note) == ("lab", ["stream", "watch"], "room 2")
    assert token.expires is not None
    assert abs(token.expires - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=10)
    kineseg("token", "new", "--file", file, "--role", "admin")
    listed = kineseg("token", "list", "--file", file).out
    assert all(each in listed for each in (found[1], "lab", "stream, watch", "room 2", "default", "never"))
    assert kineseg("token", "revoke", found[1], "--file", file).status == 0
    assert [token.tenant for token in Tokens.load(file)] == ["default"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("new", "--role", "stream", "--tenant", "Lab A"), "small letters"),
        (("new", "--role", "stream", "--expires", "soon"), "12h, 90d or 52w"),
        (("new", "--role", "stream", "--expires", "999999w"), "too far away"),
        (("new", "--role", "stream", "--note", "x" * 201), "200 are allowed"),
        (("revoke", "0" * 12), "there is no such file"),
        (("list",), "there is no such file"),
    ],
)
def test_what_cannot_be_done_says_why_and_writes_nothing(
    kineseg: Command, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    outcome = kineseg("token", *arguments, "--file", tmp_path / "tokens.json")
    assert outcome.status == 2
    assert says in outcome.err
    assert not list(tmp_path.iterdir())


def test_five_minutes(kineseg: Command, tmp_path: Path, motion_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")  # of localhost gRPC may name the other address, which is refused
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    authority.cert_pem.write_to_path(tmp_path / "root.pem")
    tokens = tmp_path / "tokens.json"
    token = kineseg("token", "new", "--file", tokens, "--tenant", "lab", "--role", "stream").out.strip()
    locks = ["--tls-cert", tmp_path / "server.pem", "--tls-key", tmp_path / "server.key", "--tokens", tokens]
    process = start(["serve", "--port", 0, "--metrics-port", -1, "--log-format", "json", *locks])
    try:
        assert process.stderr is not None
        entries = (json.loads(line) for line in process.stderr if line.startswith("{"))
        port = next(entry["address"] for entry in entries if entry["event"] == "serving").rpartition(":")[2]
        address = f"127.0.0.1:{port}"
        refused = kineseg("models", "--server", address)
        assert (refused.status, "if it has TLS" in refused.err) == (1, True), refused.err
        monkeypatch.setenv("KINESEG_TLS", "1")
        refused = kineseg("models", "--server", address)
        assert (refused.status, "KINESEG_CA" in refused.err) == (1, True)
        monkeypatch.setenv("KINESEG_CA", str(tmp_path / "root.pem"))
        refused = kineseg("models", "--server", address)
        assert (refused.status, "KINESEG_TOKEN" in refused.err) == (2, True)
        monkeypatch.setenv("KINESEG_TOKEN", token)
        assert kineseg("segment", motion_file, "--server", address, "--out", tmp_path / "events.jsonl").status == 0
        refused = kineseg("label", "forget", "walk", "--server", address)
        assert refused.status == 2
        assert "has the roles stream, and names is needed" in refused.err
        # A server in this process is no one else's: what the environment says of others is not for it.
        assert kineseg("models").status == 0
    finally:
        process.kill()
        process.communicate()
    assert token not in (tmp_path / "events.jsonl").read_text(encoding="utf-8")
