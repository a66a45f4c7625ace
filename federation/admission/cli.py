"""`upprop federation admit`, `ca` and `certify`: the authority's side of admission."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from federation import descriptor_draft as drafts
from federation import files
from federation import pki as keys
from federation.admission import authority, request, words
from federation.clock import utc_now
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.options import json_option

PATH = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("request_file", metavar="REQUEST", type=PATH)
@click.option(
    "--draft", type=PATH, default=Path("draft.toml"), envvar="UPPROP_DRAFT", show_default=True, show_envvar=True
)
@click.option(
    "--population",
    type=click.IntRange(min=0),
    help="Of a member: its pupils, as the official statistics count them. Sets its quota of pseudonyms.",
)
@click.option("--calendar", help="Of a member: the calendar it follows, if not the one it had, or the default one.")
@click.option("--role", type=click.Choice(["statistics", "oversight", "public"]), help="Of a reader of the statistics.")
@click.option("--words", "said", help="The twelve words as they were read to you; without it you are asked.")
@click.option("--yes", is_flag=True, help="The words have been compared already: do not ask.")
@click.option("--replace", is_flag=True, help="The party has lost its key: list this one in its place.")
@json_option
def admit(request_file: Path, draft: Path, said: str | None, *, yes: bool, as_json: bool, **terms: Any) -> None:
    """List the party of REQUEST in a draft: a member, an evaluator, a registry, a reader of the statistics.

    A request proves that its sender holds a key, not who the sender is. So call whoever it says it is of, on a number
    that you know from elsewhere, and have them read the twelve words that their command printed. Then sign the draft:
    `upprop federation sign`.

    \b
      upprop federation admit request.toml --draft authority/draft.toml --population 105000
    """
    asked, proved = request.read(request_file)
    agreed = authority.Terms(**terms)
    # Before anybody calls anyone.
    authority.check(drafts.read(draft), proved, agreed)
    if proved.identity.kind is Kind.NODE and agreed.population is None:
        raise click.UsageError("State --population: its pupils, as the official statistics count them.")
    _compare(asked, proved.key_sha256, said, yes=yes)
    authority.admit(draft, asked, proved, agreed)
    stated = {"identity": asked.identity, "key_sha256": proved.key_sha256, "draft": str(draft)}
    done = f"{asked.identity} stands in {draft}. Nothing is in force yet: upprop federation sign {draft} …"
    click.echo(json.dumps(stated) if as_json else done)


def _compare(asked: request.AdmissionRequest, key_sha256: str, said: str | None, *, yes: bool) -> None:
    if said is not None:
        if not words.agree(said, key_sha256):
            raise UppropError(
                Code.ADMISSION_REFUSED,
                "The words are not those of the key in the request. Have them read once more; if they still differ, "
                "the request is not from whom you have called.",
            )
        return
    if yes:
        return
    lines = words.in_lines(words.words_of(key_sha256))
    # What the sender chose for itself stands below the words, where it cannot pass for them.
    click.echo(f"{asked.identity}, its key in words:\n", err=True)
    click.echo("".join(f"  {line}\n" for line in lines), err=True)
    click.echo(f"It calls itself {asked.name or 'nothing'}.", err=True)
    if not click.confirm("Have they read these words to you, over a telephone number that you know?", err=True):
        raise UppropError(Code.ADMISSION_REFUSED, "Not admitted: the draft is as it was.")


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", default="Upprop CA", show_default=True, help="What the certificate calls it.")
def ca(directory: Path, name: str) -> None:
    """Make the federation's own CA in DIRECTORY: ca.crt, which descriptors name, and ca.key.

    The registry's operator keeps it: a registry whose settings name it gives certificates to keys that the descriptor
    lists, and renews them in time. It can admit nobody; what counts is which keys the authority has listed. Keep a copy
    of ca.key under lock.
    """
    files.private_directory(directory)
    made = keys.make_ca(name, utc_now())
    files.write_secret(directory / "ca.key", keys.private_pem(made.key))
    files.replace(directory / "ca.crt", keys.certificate_pem(made.certificate))
    click.echo(f"Wrote {directory / 'ca.crt'} and ca.key. Next: upprop federation add ca DRAFT --certificate ca.crt")


@click.command()
@click.argument("request_file", metavar="REQUEST", type=PATH)
@click.option("--ca-certificate", type=PATH, required=True, help="The CA's certificate (PEM).")
@click.option("--ca-key", type=PATH, required=True, help="The CA's private key (PEM, mode 0600).")
@click.option("--out", type=PATH, required=True, help="Where the certificate goes.")
@click.option(
    "--days", type=click.IntRange(1, 397), default=keys.CERTIFICATE_LIFETIME.days, show_default=True, help="Validity."
)
def certify(request_file: Path, ca_certificate: Path, ca_key: Path, out: Path, days: int) -> None:
    """Give the party of REQUEST a certificate by hand: the founders' first, while no registry runs.

    Later every party asks a running registry by itself. A certificate without an entry in the descriptor opens nothing.
    """
    asked, proved = request.read(request_file)
    issuer = keys.read_ca(ca_certificate, ca_key)
    made = keys.issue(issuer, proved.identity, proved.public_key, utc_now(), timedelta(days=days))
    files.replace(out, keys.certificate_pem(made))
    click.echo(f"Wrote {out}: {asked.identity}, valid until {made.not_valid_after_utc:%Y-%m-%d}.")
