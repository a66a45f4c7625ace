"""`upprop registry init`: a registry's keys, request and settings."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from federation import files
from federation.admission import founding
from federation.identity import registry as registry_identity
from privacy.registry_key import REGISTRY_KEY_BYTES, RegistryKey, serialise_registry_key


@click.command(short_help="Make a registry's keys, settings and request for admission.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", required=True, help="Lower-case letters and digits, such as a; one for each replica.")
@click.option("--address", required=True, help="host:port at which the other parties reach it.")
@click.option("--join-address", help="host:port for those who have no certificate yet.")
@click.option("--listen", help="host:port of this machine, where it differs from the address (behind NAT).")
@click.option("--metrics-listen", default="127.0.0.1:9464", show_default=True)
@click.option(
    "--ca",
    "ca",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the federation's CA, if it is here.",
)
def init(
    directory: Path,
    name: str,
    address: str,
    join_address: str | None,
    listen: str | None,
    metrics_listen: str,
    ca: Path | None,
) -> None:
    """Write keys, settings and request.toml for a new registry into DIRECTORY.

    Made are its TLS key, the key of its ledger, and the key over the pseudonyms of epoch 1; all can be read by you
    alone. Further replicas share the last two: copy them. With --ca the registry gives certificates to parties whose
    keys the descriptor lists (upprop federation ca makes one).
    """
    identity = registry_identity(name)
    founding.begin(directory, address, join_address, listen, metrics_listen)
    ledger = founding.signing_key(directory, "ledger")
    key = RegistryKey(1, secrets.token_bytes(REGISTRY_KEY_BYTES))
    files.write_secret(directory / "epoch-1.key", serialise_registry_key(key))
    config = _SKELETON.format(
        identity=identity.uri,
        listen=listen or address,
        metrics_listen=metrics_listen,
        join="# join_listen" if join_address is None else "join_listen",
        join_listen=join_address or "0.0.0.0:7451",
        ca="# " if ca is None else "",
        ca_directory="ca" if ca is None else ca.absolute(),
    )
    said = founding.found(directory, identity, config, address=address, join_address=join_address, ledger_key=ledger)
    click.echo(f"{said}\n\nNext: upprop registry migrate --config {directory / founding.CONFIG_NAME}, then serve.")


_SKELETON = """\
# Settings of {identity}. Paths are relative to this file.
data_dir = "data"
descriptor = "federation.toml"     # from the authority; replace it by hand whenever it signs a newer one
authority_key = "authority.pub"    # pinned: whoever holds its private half says who belongs
certificate = "tls.crt"            # renewed by itself
private_key = "tls.key"            # mode 0600, as every key
listen = "{listen}"
{join} = "{join_listen}"  # for parties without a certificate
metrics_listen = "{metrics_listen}"  # /metrics, /healthz, /readyz
log_level = "info"
ledger_key = "ledger.key"          # signs the ledger; the same at all replicas
epoch_key_dir = "."                # epoch-1.key, ...; keep copies apart from those of the database
{ca}ca_certificate = "{ca_directory}/ca.crt"
{ca}ca_key = "{ca_directory}/ca.key"
# database_url_file = "db.url"     # a postgresql:// URL (mode 0600) in place of SQLite in data_dir
# renew_certificate = false        # where another PKI puts tls.crt there
"""
