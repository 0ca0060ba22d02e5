"""Missing, wrong, expired and revoked tokens, tokens without the role, and the same of certificates: all refused,
counted and logged; and a tenant that guesses another's streams learns nothing, by text or by time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import grpc
import trustme
from kineseg_service.access.caller import Role

from evaluation.chaos.conversations import SERVICE
from evaluation.chaos.door_keys import Keys
from evaluation.chaos.foreign import look_for_others
from evaluation.chaos.knock import Knock, knock
from evaluation.chaos.outcome import Outcome, most, none
from evaluation.chaos.server import Server
from evaluation.chaos.size import Size

_SHUT = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_LOOKUPS_PER_S = 5
_SLOWER = 1.25


def run(size: Size) -> Outcome:
    """Knocks with everything that should not open, then looks for another tenant's streams."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder))
        owner, thief, weak = keys.token("owner"), keys.token("thief"), keys.token("owner", Role.STREAM)
        over, revoked = keys.token("owner", over=True), keys.token("owner")
        keys.revoke(revoked)
        wrong = ["", "nonsense", f"{owner}x", f"kineseg_{'0' * 12}_{'0' * 40}", over, revoked]
        with Server(tokens=keys.tokens) as server, grpc.insecure_channel(server.address) as channel:
            knocks = [knock(channel, method, token) for method in SERVICE.methods for token in wrong]
            beyond = [method for method in SERVICE.methods if not (method.client_streaming or "List" in method.name)]
            knocks += [knock(channel, method, weak) for method in beyond]
            counted = _counted(server, keys.token("default", Role.ADMIN))
            looked = look_for_others(
                server.address, channel, owner, thief, size.of(round(size.seconds * _LOOKUPS_PER_S), 20)
            )
            said = " ".join([*(each.text for each in knocks), *map(str, server.log)])
            lines = [line for line in server.log if line.get("event") == "refused"]
        with Server(tokens=keys.tokens, **keys.tls) as server:
            bad = (None, keys.certificate(keys.stranger), keys.certificate(keys.ca, over=True))
            let_in = sum(_shows(server.address, keys, shown, owner) for shown in bad)
            kept_out = not _shows(server.address, keys, keys.certificate(keys.ca), owner)
    secrets = [token.split("_", 2)[2] for token in (owner, thief, weak, over, revoked)]
    return Outcome(
        (
            none("calls let in that should not be", _open(knocks)),
            none("refusals that were not counted", abs(len(knocks) - counted)),
            none("refusals without a line in the log or a number in one", 0.0 if lines else len(knocks)),
            none("certificates let in that should not be, or kept out that should not", let_in + kept_out),
            none("secrets in answers and in the log", sum(secret in said for secret in secrets)),
            none("answers that tell a foreign stream from an unknown one", looked.given_away),
            most("time of a lookup of a foreign stream over an unknown one, medians, ratio", looked.ratio, _SLOWER),
        ),
        f"{len(knocks)} knocks, {len(bad)} bad certificates, {looked.count} lookups{looked.example}",
    )


def _open(knocks: list[Knock]) -> int:
    return sum(each.code not in _SHUT for each in knocks)


def _counted(server: Server, token: str) -> int:
    return int(sum(value for name, value in server.metrics(token).items() if name.startswith("kineseg_refused_total")))


def _shows(address: str, keys: Keys, shown: trustme.LeafCert | None, token: str) -> bool:
    """Whether who shows this certificate is let in."""
    mine = (None, None) if shown is None else (shown.private_key_pem.bytes(), shown.cert_chain_pems[0].bytes())
    credentials = grpc.ssl_channel_credentials(keys.ca.cert_pem.bytes(), *mine)
    with grpc.secure_channel(f"localhost:{address.rpartition(':')[2]}", credentials) as channel:
        return knock(channel, SERVICE.methods_by_name["ListModels"], token).code == grpc.StatusCode.OK
