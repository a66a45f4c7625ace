"""`upprop federation`: what the authority does, with the offline key at hand.

A draft is the descriptor's file without signature. Commands change the draft; `sign` gives it the next serial and
writes the signed descriptor. Invariant: the draft with the raised serial is on disk before the signed file, so no
serial is ever given to two files.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import descriptor, descriptor_view, files
from federation import descriptor_draft as drafts
from federation import pki as keys
from federation.admission import cli as admission
from federation.clock import utc_now
from federation.descriptor_file import (
    DEFAULT_CALENDAR,
    Epoch,
    Evaluator,
    File,
    Member,
    Pause,
    Reader,
    Registry,
    check,
    parse_file,
    sign_epoch,
)
from federation.errors import Code, UppropError
from federation.identity import OPERATOR_ID
from federation.options import json_option

DRAFT_NAME = "draft.toml"
DEFAULT_LIFETIME_DAYS = 180

PATH = click.Path(dir_okay=False, path_type=Path)
DRAFT = click.argument("draft", type=PATH)
KEPT = click.IntRange(min=1)
DAYS = click.IntRange(0, 10_000)
REPLACE = click.option("--replace", is_flag=True, help="Take the place of an entry that is there already.")
CERTIFICATE = click.option(
    "--certificate", type=PATH, help="The party's TLS certificate (PEM); its key and its name are taken from it."
)
T = TypeVar("T")


@click.group(short_help="Make, sign and show the federation's descriptor.")
def federation() -> None:
    """The descriptor says who belongs to the federation. These commands are the authority's.

    Work on a draft, then sign it with the authority's offline key:

    \b
      upprop federation init authority
      upprop federation admit request.toml --draft authority/draft.toml --population 105000
      upprop federation sign authority/draft.toml --key authority/authority.key --out federation.toml
      upprop federation show federation.toml --authority authority/authority.pub
    """


@federation.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--zone", default="Europe/Stockholm", show_default=True, help="The federation's time zone.")
def init(directory: Path, zone: str) -> None:
    """Make the authority's key and an empty draft in DIRECTORY.

    Keep authority.key offline; give authority.pub to every party by a way they trust: they pin it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = File(zone=zone)
    check(file)
    draft = directory / DRAFT_NAME
    if draft.exists():
        raise UppropError(Code.CONFIG_INVALID, f"{draft} exists already and is not overwritten; move it away first.")
    key = Ed25519PrivateKey.generate()
    files.write_secret(directory / "authority.key", keys.private_pem(key))
    files.replace(directory / "authority.pub", keys.public_pem(key.public_key()))
    drafts.write(draft, file)
    click.echo(f"Wrote {directory / 'authority.key'} (keep it offline), authority.pub and {DRAFT_NAME}.")


@federation.group()
def add() -> None:
    """Put a party, a reader of the statistics, an epoch, a calendar or a CA into a draft."""


@add.command()
@DRAFT
@click.option("--id", "member_id", required=True, help="0180, or 0180-5561234567 for an independent operator.")
@click.option("--name", default="", help="The name people know it by.")
@click.option(
    "--population", type=click.IntRange(min=0), required=True, help="Its pupils; sets its quota of pseudonyms."
)
@CERTIFICATE
@click.option("--key-sha256", help="In place of a certificate: SHA-256 of its public key (SubjectPublicKeyInfo), hex.")
@click.option("--home", help="Of an operator: the municipality its schools stand in; else the one its id begins with.")
@click.option("--calendar", default=DEFAULT_CALENDAR, show_default=True, help="The calendar it follows.")
@REPLACE
def member(
    draft: Path,
    member_id: str,
    name: str,
    population: int,
    certificate: Path | None,
    key_sha256: str | None,
    home: str | None,
    calendar: str,
    *,
    replace: bool,
) -> None:
    """Add a member: a municipality or an independent operator."""
    operator = OPERATOR_ID.fullmatch(member_id) is not None
    entry = Member(
        id=member_id,
        name=name,
        kind="operator" if operator else "municipality",
        population=population,
        key_sha256=drafts.key_of(f"upprop://node/{member_id}", certificate, key_sha256),
        home=home or (member_id[:4] if operator else None),
        calendar=calendar,
    )
    drafts.put(draft, "members", entry, replace=replace)


@add.command()
@DRAFT
@click.option("--index", type=click.IntRange(1, 255), required=True, help="Its number, which its shares bear.")
@click.option("--address", required=True, help="host:port.")
@click.option("--signing-key", type=PATH, required=True, help="Its public signing key (PEM, Ed25519).")
@CERTIFICATE
@click.option("--key-sha256", help="In place of a certificate: SHA-256 of its public TLS key, hex.")
@REPLACE
def evaluator(
    draft: Path,
    index: int,
    address: str,
    signing_key: Path,
    certificate: Path | None,
    key_sha256: str | None,
    *,
    replace: bool,
) -> None:
    """Add an evaluator."""
    entry = Evaluator(
        index=index,
        address=address,
        signing_key=keys.read_public_signing_key(signing_key).public_bytes_raw(),
        key_sha256=drafts.key_of(f"upprop://evaluator/{index}", certificate, key_sha256),
    )
    drafts.put(draft, "evaluators", entry, replace=replace)


@add.command()
@DRAFT
@click.option("--name", required=True, help="Lower-case letters and digits, such as a.")
@click.option("--address", required=True, help="host:port.")
@CERTIFICATE
@click.option("--key-sha256", help="In place of a certificate: SHA-256 of its public TLS key, hex.")
@REPLACE
def registry(
    draft: Path, name: str, address: str, certificate: Path | None, key_sha256: str | None, *, replace: bool
) -> None:
    """Add a registry."""
    entry = Registry(
        name=name, address=address, key_sha256=drafts.key_of(f"upprop://registry/{name}", certificate, key_sha256)
    )
    drafts.put(draft, "registries", entry, replace=replace)


@add.command()
@DRAFT
@click.option("--public-key", type=PATH, required=True, help="Its public key (PEM, Ed25519), of all replicas alike.")
def ledger(draft: Path, public_key: Path) -> None:
    """Set the key with which the registry signs its ledger, as `upprop registry keygen --ledger` made it.

    From the next signed descriptor on the nodes sign what they send, and the registry takes nothing unsigned: upgrade
    the nodes first.
    """
    raw = keys.read_public_signing_key(public_key).public_bytes_raw()
    drafts.change(draft, lambda _file: {"ledger_key": raw})


@add.command()
@DRAFT
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["statistics", "oversight", "public"]),
    required=True,
    help="What it may see: public what everybody may, the others the releases.",
)
@CERTIFICATE
@click.option("--key-sha256", help="In place of a certificate: SHA-256 of its public key (SubjectPublicKeyInfo), hex.")
@REPLACE
def reader(
    draft: Path, name: str, role: Any, certificate: Path | None, key_sha256: str | None, *, replace: bool
) -> None:
    """Let NAME read the statistics; its certificate is upprop://authority/NAME.

    Each role has a share of its own in what further questions may cost of the privacy budget; public has none.
    """
    entry = Reader(
        name=name, role=role, key_sha256=drafts.key_of(f"upprop://authority/{name}", certificate, key_sha256)
    )
    drafts.put(draft, "readers", entry, replace=replace)


@add.command()
@DRAFT
@click.option("--from", "ceremony", type=PATH, help="What `upprop evaluator keygen --json` said, in place of the rest.")
@click.option("--epoch", "number", type=click.IntRange(min=1))
@click.option("--threshold", type=click.IntRange(2, 255), help="How many evaluators must answer.")
@click.option("--public-key", help="K, in hex or base64.")
@click.option("--commitment", "commitments", multiple=True, help="INDEX:Kᵢ, once for each evaluator.")
@click.option("--share-version", type=click.IntRange(min=1), default=1, show_default=True)
@REPLACE
def epoch(
    draft: Path,
    ceremony: Path | None,
    number: int | None,
    threshold: int | None,
    public_key: str | None,
    commitments: tuple[str, ...],
    share_version: int,
    *,
    replace: bool,
) -> None:
    """Add an epoch, as the key ceremony stated it. Then every evaluator signs it: `upprop federation sign-epoch`."""
    by_hand = number, threshold, public_key
    if ceremony is not None:
        if commitments or any(by_hand):
            raise click.UsageError("--from states the epoch: give it alone.")
        stated = drafts.ceremony_in(ceremony)
    elif number is None or threshold is None or public_key is None or not commitments:
        raise click.UsageError("State the epoch: --from, or --epoch, --threshold, --public-key and --commitment.")
    else:
        stated = drafts.Ceremony(number, threshold, share_version, public_key, drafts.parse_commitments(commitments))
    entry = Epoch(
        epoch=stated.epoch,
        threshold=stated.threshold,
        shares=len(stated.commitments),
        share_version=stated.share_version,
        public_key=drafts.key_bytes(stated.public_key, "--public-key"),
        commitments={index: drafts.key_bytes(each, "--commitment") for index, each in stated.commitments.items()},
    )
    drafts.put(draft, "epochs", entry, replace=replace)


@add.command()
@DRAFT
@click.option("--name", default=DEFAULT_CALENDAR, show_default=True)
@click.option("--break", "breaks", multiple=True, help="FIRST:LAST day without school, both included; repeatable.")
def calendar(draft: Path, name: str, breaks: tuple[str, ...]) -> None:
    """Set the breaks of a calendar, in place of those it had."""
    pauses = [Pause(each.start, each.end) for each in map(drafts.parse_break, breaks)]
    drafts.change(draft, lambda file: {"calendars": {**file.calendars, name: pauses}})


@add.command()
@DRAFT
@click.option("--certificate", type=PATH, required=True, help="The CA's certificate (PEM).")
def ca(draft: Path, certificate: Path) -> None:
    """Trust a CA to issue the parties' certificates."""
    pem = keys.certificate_pem(drafts.certificate_in(certificate)).decode()
    drafts.change(
        draft,
        lambda file: {"ca_certificates": [*(each for each in file.ca_certificates if each != pem), pem]},
    )


@federation.command()
@DRAFT
@click.option("--member", "members", multiple=True, help="Id of a member; repeatable.")
@click.option("--evaluator", "evaluators", type=int, multiple=True, help="Index of an evaluator; repeatable.")
@click.option("--registry", "registries", multiple=True, help="Name of a registry; repeatable.")
@click.option("--epoch", "epochs", type=int, multiple=True, help="Number of an epoch; repeatable.")
@click.option("--reader", "readers", multiple=True, help="Name of a reader of the statistics; repeatable.")
def remove(draft: Path, **gone: tuple[Any, ...]) -> None:
    """Take entries out of a draft. From the next signed descriptor on they are refused everywhere."""
    drafts.remove(draft, gone)


@federation.command()
@DRAFT
@click.option("--watch-school-days", type=click.IntRange(1, 100), help="School days before an unanswered gap opens.")
@click.option("--silence-school-days", type=click.IntRange(1, 100), help="School days after which a member is silent.")
@click.option(
    "--protected", type=click.Choice(["local", "same"]), help="What is said of pupils with protected identity."
)
@click.option("--backdating-days", type=DAYS, help="An opening dated further back than these counts as these. *")
@click.option(
    "--answer-kept-days", type=DAYS, help="So long after an answer nothing else about the pupil is answered. *"
)
@click.option("--monthly-openings", type=DAYS, help="What a member opens beyond these in a month waits for a person. *")
@click.option(
    "--monthly-openings-percent", type=click.IntRange(0, 100), help="Of a member's roster, where that is more."
)
@click.option("--second-person/--no-second-person", default=None, help="Review of openings that are made by hand.")
@click.option("--overlap-school-days", type=DAYS, help="Two members have one pupil for longer: the earlier is asked. *")
@click.option("--roll-call/--no-roll-call", default=None, help="List the pseudonyms of gaps soon due to all members.")
@click.option(
    "--statistics",
    type=click.Choice(["standard", "strict"]),
    help="Privacy budget of a year's statistics: rho 0.25 or 0.10. Counts from the next year that begins to spend.",
)
def policy(draft: Path, **values: Any) -> None:
    """Set policy values; those not named stay.

    * 0 switches it off. These limits keep a member from searching the registry for pupils that are not its own; a
    descriptor says 120, 60, 20 (and 10 percent), review, and 10, where nobody said otherwise.
    """
    changes = {name: value for name, value in values.items() if value is not None}
    drafts.change(draft, lambda file: {"policy": msgspec.structs.replace(file.policy, **changes)})


@federation.command()
@DRAFT
@click.option("--answered-pair-days", type=KEPT, help="After its answer: a gap and what it was answered by.")
@click.option("--arrival-months", type=KEPT, help="A presence, and one that has answered a gap.")
@click.option("--closed-case-days", type=KEPT, help="The pseudonyms of a case, after its close.")
@click.option("--unanswered-years", type=KEPT, help="An unanswered gap, where its member does not end it before.")
@click.option("--notice-days", type=KEPT, help="A notice that its member has acknowledged.")
@click.option("--answer-days", type=KEPT, help="The answer to a batch, for a member that never received it.")
def retention(draft: Path, **values: Any) -> None:
    """Set how long the registry keeps what has served its purpose; what is not named stays."""
    changes = {name: value for name, value in values.items() if value is not None}

    def changed(file: File) -> dict[str, Any]:
        kept = msgspec.structs.replace(file.policy.retention, **changes)
        return {"policy": msgspec.structs.replace(file.policy, retention=kept)}

    drafts.change(draft, changed)


@federation.command(name="sign-epoch")
@DRAFT
@click.option("--epoch", "number", type=int, required=True)
@click.option("--index", type=int, required=True, help="The evaluator that signs.")
@click.option("--signing-key", type=PATH, required=True, help="Its private signing key (PEM, Ed25519).")
def sign_epoch_(draft: Path, number: int, index: int, signing_key: Path) -> None:
    """Sign an epoch of a draft as an evaluator, after comparing K and the commitments with your own."""
    key = keys.read_private_signing_key(signing_key)
    file = drafts.read(draft)
    listed = {each.index: each.signing_key for each in file.evaluators}
    if listed.get(index) != key.public_key().public_bytes_raw():
        raise UppropError(Code.INPUT_REFUSED, f"This is not the signing key listed for evaluator {index}.")
    found = [each for each in file.epochs if each.epoch == number]
    if not found:
        raise UppropError(Code.EPOCH_UNKNOWN, f"The draft has no epoch {number}.")
    drafts.put(draft, "epochs", sign_epoch(found[0], index, key), replace=True)


@federation.command()
@DRAFT
@click.option("--key", type=PATH, required=True, help="The authority's private key.")
@click.option("--out", type=PATH, required=True, help="Where the signed descriptor goes.")
@click.option("--days", type=click.IntRange(1, 730), default=DEFAULT_LIFETIME_DAYS, show_default=True, help="Validity.")
def sign(draft: Path, key: Path, out: Path, days: int) -> None:
    """Give a draft the next serial and an expiry, and sign it."""
    authority_key = keys.read_private_signing_key(key)
    expires = (utc_now() + timedelta(days=days)).replace(microsecond=0)
    file = drafts.read(draft)
    file = msgspec.structs.replace(file, serial=file.serial + 1, expires=expires)
    # Refused before anything is written; then the raised serial first, so that it is never given out twice.
    content = descriptor.sign(file, authority_key)
    drafts.write(draft, file)
    files.replace(out, content)
    click.echo(f"Wrote {out}: serial {file.serial}, valid until {expires:%Y-%m-%d}, {len(file.members)} members.")


@federation.command()
@click.argument("path", type=PATH)
@click.option("--authority", type=PATH, help="The authority's public key, to verify the signature with.")
@click.option("--since", type=PATH, help="An earlier descriptor: show what changed from it to this one.")
@json_option
def show(path: Path, authority: Path | None, since: Path | None, *, as_json: bool) -> None:
    """Show a descriptor or a draft. With --authority a wrong signature or an expired descriptor is refused."""
    content = descriptor.read(path)
    verified = False
    if authority is not None:
        descriptor.check_expiry(descriptor.verify(content, descriptor.read_authority_key(authority)), utc_now())
        verified = True
    file = parse_file(content)
    if since is not None:
        lines = descriptor_view.changes(parse_file(descriptor.read(since)), file)
        click.echo(json.dumps(lines) if as_json else "\n".join(lines) or "Nothing changed.")
        return
    if as_json:
        plain = msgspec.to_builtins(file, str_keys=True)
        plain["ca_certificates"] = [descriptor_view.fingerprint(each) for each in file.ca_certificates]
        click.echo(json.dumps({"verified": verified, **plain}))
        return
    click.echo("\n".join(descriptor_view.described(file, verified=verified)))


for _command in (admission.admit, admission.ca, admission.certify):
    federation.add_command(_command)
