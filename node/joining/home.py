"""The directory of a new node: settings, the key of its records, and its admission request.

Invariant: a key that is there is never made anew; settings that people may have changed are left as they are.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from federation import files, signing_request
from federation.admission import request as requests
from federation.admission.joining import Joining
from federation.admission.request import REQUEST_NAME, AdmissionRequest
from federation.errors import Code, UppropError
from federation.identity import OPERATOR_ID
from federation.signing_request import SigningRequest
from node.store.sealing import RECORD_KEY_BYTES

CONFIG_NAME = "config.toml"
RECORD_KEY_NAME = "record.key"


def furnish(joining: Joining, name: str, home: str | None, metrics_listen: str, *, new_key: bool = False) -> Path:
    """Write what a node needs besides a certificate; returns the path of the request.

    Raises UppropError: SECRET_MISSING where the key that was asked for is gone, ADMISSION_REFUSED where another lies
    there; with `new_key` a request for the key that is there, or for a new one, takes the place of the old request.
    """
    directory = joining.directory
    files.private_directory(directory)
    # Two at once would each make a key.
    with files.alone(directory):
        asked = requests.read(directory / REQUEST_NAME) if joining.has_asked else None
        if asked is not None and not new_key:
            _check_key(joining, asked[1])
        key = joining.begin()
        if not (directory / RECORD_KEY_NAME).exists():
            files.write_secret(directory / RECORD_KEY_NAME, secrets.token_bytes(RECORD_KEY_BYTES))
        if not (directory / CONFIG_NAME).exists():
            stated = _SKELETON.format(identity=joining.identity.uri, metrics_listen=metrics_listen)
            files.replace(directory / CONFIG_NAME, stated.encode())
        path = directory / REQUEST_NAME
        if asked is None:
            _request(joining, key, name, home, path)
        elif asked[1].public_key != key.public_key():
            _request(joining, key, name or asked[0].name, home or asked[0].home, path)
        return path


def _check_key(joining: Joining, asked: SigningRequest) -> None:
    key = joining.key()
    if key is None:
        raise UppropError(
            Code.SECRET_MISSING,
            f"{joining.key_path}, the key that was asked for, is missing. Put it back; or, where it is lost, ask for a "
            "new one with --new-key.",
        )
    if key.public_key() != asked.public_key:
        raise UppropError(
            Code.ADMISSION_REFUSED,
            f"{joining.key_path} is another key than was asked for. Put that one back; or ask for this one with "
            "--new-key.",
        )


def _request(joining: Joining, key: EllipticCurvePrivateKey, name: str, home: str | None, path: Path) -> None:
    member = joining.identity.name
    pem = requests.pem(signing_request.make(joining.identity, key))
    # For a PKI that is not the federation's own.
    files.replace(joining.signing_request_path, pem.encode())
    requests.write(
        path,
        AdmissionRequest(
            identity=joining.identity.uri,
            name=name,
            home=(home or member[:4]) if OPERATOR_ID.fullmatch(member) else None,
            signing_request=pem,
        ),
        key,
    )


_SKELETON = """\
# Settings of {identity}. Paths are relative to this file.
data_dir = "data"
record_key = "record.key"          # seals identities; mode 0600; keep a copy apart from copies of the data
certificate = "tls.crt"            # a running node has it renewed by itself
private_key = "tls.key"            # mode 0600
descriptor = "federation.toml"     # a newer one comes by itself, into data_dir
authority_key = "authority.pub"    # pinned: whoever holds its private half says who belongs
metrics_listen = "{metrics_listen}"  # /metrics, /healthz, /readyz
log_level = "info"
# renew_certificate = false        # where another PKI puts tls.crt there
# sync_seconds = 900               # how often a running node sends and fetches
# upper_secondary = true           # gymnasium (GY, GYS, GYAN) counts as presence
# drill_days = 30                  # a running node drills by itself so often; 0: never
# enrolment_listen = "10.0.0.5:7450"       # where your school systems may push, inside your own network
# enrolment_names = ["upprop.example.se"]  # how they call this machine, where it is not that address
# database_url_file = "db.url"     # a postgresql:// URL (mode 0600) in place of SQLite in data_dir
# [school_systems.main]            # tables come last: a school system whose API the node fetches from
# url = "https://skola.example.se/ss12000/v2"
# token_file = "school.token"      # mode 0600; or token_url, client_id, client_secret_file, scope
# at = "05:30"                     # a running node fetches every day from this time on
"""
