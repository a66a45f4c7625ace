"""`upprop evaluator init`: an evaluator's keys, request and settings."""

from __future__ import annotations

from pathlib import Path

import click

from federation.admission import founding
from federation.identity import evaluator as evaluator_identity


@click.command(short_help="Make an evaluator's keys, settings and request for admission.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--index", type=click.IntRange(1, 255), required=True, help="Its number, which its shares bear.")
@click.option("--address", required=True, help="host:port at which members reach it.")
@click.option("--listen", help="host:port of this machine, where it differs from the address (behind NAT).")
@click.option("--metrics-listen", default="127.0.0.1:9464", show_default=True)
@click.option(
    "--published-pupils",
    type=click.IntRange(min=1),
    help="How many pupils the country has by its official statistics; bounds the quotas that are accepted.",
)
def init(
    directory: Path, index: int, address: str, listen: str | None, metrics_listen: str, published_pupils: int | None
) -> None:
    """Write keys, settings and request.toml for a new evaluator into DIRECTORY.

    Made are its TLS key and the key with which it signs epochs; both can be read by you alone. Its share of the
    pseudonym key is made in a ceremony and goes into the same directory.
    """
    identity = evaluator_identity(index)
    founding.begin(directory, address, listen, metrics_listen)
    config = _SKELETON.format(
        identity=identity.uri,
        listen=listen or address,
        metrics_listen=metrics_listen,
        known="" if published_pupils else "# ",
        published_pupils=published_pupils or 1_200_000,
    )
    signing_key = founding.signing_key(directory, "signing")
    said = founding.found(directory, identity, config, address=address, signing_key=signing_key)
    click.echo(f"{said}\n\nNext: upprop evaluator migrate --config {directory / founding.CONFIG_NAME}, then serve.")


_SKELETON = """\
# Settings of {identity}. Paths are relative to this file.
data_dir = "data"
descriptor = "federation.toml"     # from the authority; a newer one counts once you accept it: upprop evaluator accept
authority_key = "authority.pub"    # pinned: whoever holds its private half says who belongs
certificate = "tls.crt"            # renewed by itself
private_key = "tls.key"            # mode 0600, as every key
listen = "{listen}"
metrics_listen = "{metrics_listen}"  # /metrics, /healthz, /readyz
log_level = "info"
share_dir = "."                    # every *.share in it
signing_key = "signing.key"        # signs epochs, and the registry's ledger as a witness
{known}published_pupils = {published_pupils}  # of the country; members may not sum to more than 1.1 times as many
# renew_certificate = false        # where another PKI puts tls.crt there
"""
