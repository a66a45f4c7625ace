"""`upprop evaluator accept`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from federation import descriptor, descriptor_view
from federation.descriptor import Descriptor
from federation.descriptor_file import File, parse_file
from federation.descriptor_store import DescriptorStore
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
    before = _in_force(store, settings)
    if file is not None:
        content = descriptor.read(file)
        brought = descriptor.verify(content, descriptor.read_authority_key(settings.authority_key))
        descriptor.check_serial(brought, before.serial)
        store.receive(content)
    offer = store.offer()
    if offer is None:
        said = f"Nothing to accept: descriptor {before.serial} is in force, and no newer one has been brought."
        click.echo(json.dumps({"serial": before.serial, "accepted": False, "changes": []}) if as_json else said)
        return
    lines = descriptor_view.changes(before, parse_file(store.offered_content()))
    if not as_json:
        click.echo("\n".join((f"From descriptor {before.serial} to {offer.serial}:", *(f"  {line}" for line in lines))))
        click.echo(_populations(offer, settings.published_pupils))
    if settings.published_pupils is None:
        raise UppropError(
            Code.CONFIG_INVALID,
            "State how many pupils the country has by its official statistics: published_pupils = N in the settings. "
            "Quotas are held against it.",
        )
    check_populations(offer, settings.published_pupils)
    if not yes and not click.confirm("Accept it?", err=as_json):
        raise UppropError(Code.ADMISSION_REFUSED, "Not accepted: it stays an offer, and denies what it takes away.")
    accepted = store.accept_offer()
    if as_json:
        click.echo(json.dumps({"serial": accepted.serial, "accepted": True, "changes": lines}))
    else:
        click.echo(f"Descriptor {accepted.serial} is in force here.")


def _in_force(store: DescriptorStore, settings: EvaluatorSettings) -> File:
    """What is in force, or was until it expired, as its file states it."""
    try:
        return parse_file(store.content())
    except UppropError as error:
        if error.code is not Code.DESCRIPTOR_EXPIRED:
            raise
        return parse_file(descriptor.read(settings.descriptor))


def _populations(offer: Descriptor, published: int | None) -> str:
    stated = total(offer.members)
    of = "" if not published else f", {stated / published:.1%} of the {published:,} that the country has"
    return f"  {len(offer.members)} members with {stated:,} pupils together{of}"
