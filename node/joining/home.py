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
from federation.identity import OPERATOR_ID
from node.store.sealing import RECORD_KEY_BYTES

CONFIG_NAME = "config.toml"
RECORD_KEY_NAME = "record.key"


def furnish(joining: Joining, name: str, home: str | None, metrics_listen: str) -> Path:
    """Write what a node needs besides a certificate; returns the path of the request."""
    directory, key = joining.directory, joining.begin()
    if not (directory / RECORD_KEY_NAME).exists():
        files.write_secret(directory / RECORD_KEY_NAME, secrets.token_bytes(RECORD_KEY_BYTES))
    if not (directory / CONFIG_NAME).exists():
        stated = _SKELETON.format(identity=joining.identity.uri, metrics_listen=metrics_listen)
        files.replace(directory / CONFIG_NAME, stated.encode())
    path = directory / REQUEST_NAME
    if not path.exists():
        _request(joining, key, name, home, path)
    return path


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
