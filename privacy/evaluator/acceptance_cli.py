"""`upprop evaluator accept`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from federation import descriptor, descriptor_view
from federation.descriptor import Descriptor
from federation.descriptor_file import parse_file
from federation.descriptor_store import DescriptorStore, check_same
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.options import config_option, json_option
from federation.settings import load
from privacy.evaluator.acceptance import check_populations, open_descriptors, total
from privacy.evaluator.settings import EvaluatorSettings


@click.command(short_help="Look at a newer descriptor, and let it come into force here.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="It has been looked at: do not ask.")
@config_option("evaluator")
@json_option
def accept(file: Path | None, *, yes: bool, config: Path, as_json: bool) -> None:
    """Show what a newer descriptor changes, and accept it after you have said so.

    A running evaluator hears of newer descriptors from the registry and keeps the newest as an offer. Until you accept
    it, it lets nobody in and raises no quota; whom it lists no longer is refused at once. Without FILE the offer is
    shown; with FILE a descriptor that came another way.

    Look at new members, at keys that have changed, and at populations, which set the quotas. If you did not expect
    something, call the authority before you accept. A descriptor whose populations sum to more than 1.1 times
    published_pupils of your settings is refused. A running evaluator takes up what was accepted within seconds.
    """
    settings = load(config, EvaluatorSettings)
    store = open_descriptors(settings, Log(level="error"))
    in_force = _in_force(store, settings)
    before = parse_file(in_force)
    if file is None:
        content = store.offered_content()
    else:
        content = descriptor.read(file)
        brought = descriptor.verify(content, descriptor.read_authority_key(settings.authority_key))
        descriptor.check_serial(brought, before.serial)
        check_same(brought, content, before.serial, hashlib.sha256(in_force).hexdigest())
        # It denies from now on, whatever is said below.
        store.receive(content)
    if not content or parse_file(content).serial == before.serial:
        said = f"Nothing to accept: descriptor {before.serial} is in force, and no newer one has been brought."
        click.echo(json.dumps({"serial": before.serial, "accepted": False, "changes": []}) if as_json else said)
        return
    offer = descriptor.verify(content, descriptor.read_authority_key(settings.authority_key))
    lines = descriptor_view.changes(before, parse_file(content))
    if not (as_json and yes):
        # Whoever is asked below has seen it, also where a script takes the answer.
        told = (f"From descriptor {before.serial} to {offer.serial}:", *(f"  {line}" for line in lines))
        click.echo("\n".join((*told, _populations(offer, settings.published_pupils))), err=as_json)
    if settings.published_pupils is None:
        raise UppropError(
            Code.CONFIG_INVALID,
            "State how many pupils the country has by its official statistics: published_pupils = N in the settings. "
            "Quotas are held against it.",
        )
    check_populations(offer, settings.published_pupils)
    if not yes and not click.confirm("Accept it?", err=as_json):
        raise UppropError(Code.ADMISSION_REFUSED, "Not accepted: it stays an offer, and denies what it takes away.")
    # This very file: a newer one may have come while it was looked at.
    accepted = store.accept(content)
    if as_json:
        click.echo(json.dumps({"serial": accepted.serial, "accepted": True, "changes": lines}))
    else:
        click.echo(f"Descriptor {accepted.serial} is in force here.")


def _in_force(store: DescriptorStore, settings: EvaluatorSettings) -> bytes:
    """The file of what is in force, or was until it expired."""
    try:
        return store.content()
    except UppropError as error:
        if error.code is not Code.DESCRIPTOR_EXPIRED:
            raise
        return descriptor.read(settings.descriptor)


def _populations(offer: Descriptor, published: int | None) -> str:
    stated = total(offer.members)
    of = "" if not published else f", {stated / published:.1%} of the {published:,} that the country has"
    return f"  {len(offer.members)} members with {stated:,} pupils together{of}"
