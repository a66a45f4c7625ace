"""`upprop node client`: which school systems may push to the node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from federation import files
from federation import settings as settings_files
from federation.errors import Code, UppropError
from federation.pki import new_tls_key, private_pem
from node import printing
from node.client import Answer
from node.options import config_option, json_option, open_stub, words_option
from node.push.client import ClientsClient
from node.push.texts import PushText
from node.settings import NodeSettings
from node.wording import Words

KEY_NAME, CERTIFICATE_NAME, CA_NAME = "client.key", "client.crt", "ca.crt"


@click.group()
def client() -> None:
    """School systems that push: who may, until when, and how far each has been heard.

    A client is one school system and can touch nothing but its own roster; it can read nothing. Its name is the name of
    that roster: a client named main goes on where imports of files left off.

    \b
    A new school system:   upprop node client add NAME --out DIR
    Its key was stolen:    upprop node client revoke NAME, then add it again
    Once a year:           upprop node client add NAME --renew --out DIR
    It pushed too little:  upprop node client take NAME --accept-shrink

    The node takes pushes where its settings state enrolment_listen = "host:port", an address inside your own network.
    """


@client.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A directory for what the school system needs; made where there is none.",
)
@click.option(
    "--csr",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A signing request (PEM) of the school system's own, so that its key need not travel.",
)
@click.option("--renew", is_flag=True, help="A further certificate for a client that has one; the old one expires.")
@config_option
@words_option
@json_option
def add(name: str, out: Path, csr: Path | None, renew: bool, config: Path, words: Words, as_json: bool) -> None:
    """Let the school system NAME push, and write its credentials into a directory.

    client.key is a private key (mode 0600): hand it over in a safe way, and keep no copy. With --csr the school system
    makes its key itself, and nothing secret is handed over:

    \b
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \\
        -subj /CN=client -keyout client.key -out client.csr
    """
    wanted = [out / each for each in (KEY_NAME, CERTIFICATE_NAME, CA_NAME)]
    if any(path.exists() for path in wanted):
        raise UppropError(Code.INPUT_REFUSED, f"{out} holds credentials already. Choose another directory.")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = None if csr else new_tls_key()
    request = csr.read_bytes() if csr else _signing_request(key)
    with open_stub(config) as stub:
        issued = ClientsClient(stub).add(name, request, renew=renew)
    if key is not None:
        files.write_secret(out / KEY_NAME, private_pem(key))
    files.replace(out / CERTIFICATE_NAME, issued.certificate)
    files.replace(out / CA_NAME, issued.ca_certificate)
    if as_json:
        printing.as_json({"name": name, "directory": str(out), "expires_on": issued.expires_on})
        return
    written = ", ".join(path.name for path in wanted if path.exists())
    click.echo(words(PushText.ADDED, name=name, expires_on=issued.expires_on, directory=out, files=written))
    listen = settings_files.load(config, NodeSettings).enrolment_listen
    if listen is None:
        click.echo(words(PushText.NO_PORT))


@client.command()
@click.argument("name")
@config_option
@words_option
@json_option
def revoke(name: str, config: Path, words: Words, as_json: bool) -> None:
    """Let the school system NAME push no more, from its next call on.

    What it said stays: its pupils count as enrolled as it last put them, and the registry hears your municipality up to
    that day alone. So either let it in again with a new key, or import its pupils in another way and then retire it:
    upprop node systems --retire NAME.
    """
    with open_stub(config) as stub:
        revoked = ClientsClient(stub).revoke(name)
    if as_json:
        printing.as_json({"name": name, "keys_revoked": revoked})
    else:
        click.echo(words(PushText.REVOKED if revoked else PushText.REVOKED_BEFORE, name=name))


@client.command(name="list")
@config_option
@words_option
@json_option
def list_clients(config: Path, words: Words, as_json: bool) -> None:
    """Show all clients: state, since and until when, last push, and how far each has been heard.

    A school system that is not heard for some days makes your municipality count as silent in the federation.
    """
    with open_stub(config) as stub:
        clients = ClientsClient(stub).all()
    if as_json:
        printing.as_json(clients)
    elif clients:
        _show(clients, words)
    else:
        click.echo(words(PushText.NOBODY))


@client.command()
@click.argument("name")
@click.option("--accept-shrink", is_flag=True, help="Take a roster that lacks half the pupils: they have really left.")
@click.option(
    "--confirm-leavings", is_flag=True, help="Let through leavings that wait because a school unit emptied at once."
)
@config_option
@words_option
@json_option
def take(name: str, accept_shrink: bool, confirm_leavings: bool, config: Path, words: Words, as_json: bool) -> None:
    """Take what NAME pushed and the node refused, or holds back.

    A school system itself can neither confirm that so many pupils have left, nor that half of its roster is gone.
    """
    with open_stub(config) as stub:
        report = ClientsClient(stub).take(name, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings)
    if as_json:
        printing.as_json(report)
    else:
        printing.import_report(report, words, confirmed=confirm_leavings)


def _show(clients: Sequence[Answer], words: Words) -> None:
    columns = (PushText.SYSTEM, PushText.STATE, PushText.ADDED_ON, PushText.EXPIRES_ON, PushText.LAST_PUSH)
    table = printing.table_of(*map(words, (*columns, PushText.AS_OF)))
    for line in clients:
        heard = line.get("as_of") or words(PushText.NEVER)
        if "refused_as_of" in line:
            heard += "\n" + words(PushText.ROSTER_REFUSED, day=line["refused_as_of"])
        days = (line["added_on"], line["expires_on"], line.get("last_push_at") or words(PushText.NOTHING_TAKEN))
        table.add_row(line["name"], words.term(line["state"]), *days, heard)
    printing.show(table)


def _signing_request(key: EllipticCurvePrivateKey | None) -> bytes:
    # Without a name: the certificate names the client that the administrator named.
    assert key is not None
    return CertificateSigningRequestBuilder().subject_name(Name([])).sign(key, SHA256()).public_bytes(Encoding.PEM)
