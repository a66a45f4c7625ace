"""`upprop node cases`, `say`, `affirm` and `review`: what case workers do with their node."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from node import printing
from node.casework import sayings
from node.client import Client
from node.model import Reason, What
from node.options import Day, config_option, json_option, open_stub, words_option
from node.wording import Words
from node.wording.texts import Text


@click.command()
@click.option("--all", "all_gaps", is_flag=True, help="Every gap that was ever open, with its newest state.")
@click.option(
    "--protected", is_flag=True, help="With protected identities. For the protected-identity role alone: see below."
)
@config_option
@words_option
@json_option
def cases(all_gaps: bool, protected: bool, config: Path, words: Words, as_json: bool) -> None:
    """List the open case files, and what other members ask.

    A question stands where another member has an urgent case about a pupil who is enrolled here: has somebody seen the
    pupil in school? Answer with `upprop node say PERSON met --on DAY`, or with no-show or gone. Another stands where
    two members say for long that they have the pupil: find out, and then `upprop node affirm PERSON`, or end the
    enrolment in the school system. A third stands where another member misses a pupil who has long been enrolled here;
    it is answered alike, and as long as it is not, that member goes on looking.

    What one person made by hand and nobody has reviewed yet stands apart: it is looked for here, but the registry has
    not been told. See `upprop node review`.

    A parked signal was not taken by the registry: look into it with the registry's operator, by the code it bears.

    Before any contact with family, school or classmates, ask the population register about each of them: is the pupil
    protected, renumbered, deceased, emigrated? An independent operator then tells the home municipality.

    Pupils with a protected identity, and those whose number was replaced, are shown with --protected only. It is for
    the few people of your municipality who may handle protected identities; let nobody else run it.
    """
    with open_stub(config) as stub:
        listed = Client(stub).cases(all_gaps=all_gaps, protected=protected)
    if as_json:
        printing.as_json(listed)
        return
    if listed["cases"]:
        printing.cases(listed["cases"], words)
    else:
        click.echo(words(Text.NO_CASES))
    printing.questions(listed["questions"], words)
    if listed["waiting"]:
        printing.waiting(listed["waiting"], words)
    printing.parked(listed["parked"], words)


@click.command(
    epilog="Reasons: "
    + ", ".join(code.value for code in Reason)
    + ". The first two, and urgent, open the case file at once."
)
@click.argument("person")
@click.argument("what", type=click.Choice(sayings.words()), metavar="WHAT")
@click.option("--on", type=Day(), help="The day it is about; today where left out.")
@click.option("--reason", default="", help="With reason: one of the codes below. Else: a text kept here, sealed.")
@click.option("--review", type=Day(), help="With duty-ended: the day on which the decision must be looked at again.")
@click.option("--by", "said_by", required=True, help="Who states it: a person's name.")
@config_option
@words_option
@json_option
def say(
    person: str,
    what: str,
    on: date | None,
    reason: str,
    review: date | None,
    said_by: str,
    config: Path,
    words: Words,
    as_json: bool,
) -> None:
    """State about PERSON what exports lack.

    PERSON is a national number or the school system's id; write - to be asked for it, so that it does not stay in the
    shell's history. WHAT is one of:

    \b
    reason         why the pupil left (--reason CODE)
    planned-start  first school day elsewhere that the family has told (--on)
    urgent         look for the pupil at once
    not-placed     of school age, resident since --on, no place here, none known elsewhere *
    no-show        never came: the presence that holds --on is taken back *
    gone           gone though enrolled; --on is the last day attended *
    found          accounted for since --on
    met            seen in school on --on
    affirm         made sure on --on that the pupil is in school here
    duty-ended     decided abroad or taught otherwise from --on (--review DATE)
    typing-error   the number before was wrong; the pupil was not renumbered
    release        the protected identity has ended; the pupil may be matched again

    * makes a case by hand: where the federation's policy asks for it, the registry is told only once a second person
    has agreed (upprop node review). Here it counts at once: gone opens the case file today.
    """
    with open_stub(config) as stub:
        saying_id, waits = Client(stub).say(
            _asked_for(person, words), what, on=on, reason=reason, review=review, said_by=said_by
        )
    if as_json:
        printing.as_json({"saying_id": saying_id, "waits_for_review": waits})
    else:
        click.echo(words(Text.NOTED_WAITS if waits else Text.NOTED, saying_id=saying_id))


@click.command()
@click.argument("person")
@click.option("--by", "said_by", required=True, help="Who has made sure of it: a person's name.")
@config_option
@words_option
@json_option
def affirm(person: str, said_by: str, config: Path, words: Words, as_json: bool) -> None:
    """State that PERSON is in school here today: somebody has looked, and not only at the school system.

    It answers the questions that `upprop node cases` shows where another member says that it has the pupil too, or
    misses the pupil. Where the pupil is not here any more, end the enrolment in the school system instead: the next
    import tells the rest.

    PERSON is a national number or the school system's id; write - to be asked for it, so that it does not stay in the
    shell's history.
    """
    with open_stub(config) as stub:
        saying_id, _ = Client(stub).say(
            _asked_for(person, words),
            sayings.spelt(What.AFFIRM.value),
            on=None,
            reason="",
            review=None,
            said_by=said_by,
        )
    if as_json:
        printing.as_json({"saying_id": saying_id})
    else:
        click.echo(words(Text.NOTED, saying_id=saying_id))


def _asked_for(person: str, words: Words) -> str:
    """Whom a command is about, asked for where `-` stands in the place."""
    return str(click.prompt(words(Text.WHO), hide_input=sys.stdin.isatty())) if person == "-" else person


@click.command()
@click.argument("saying_id", type=click.IntRange(min=1), required=False)
@click.option("--by", "reviewed_by", default="", help="Who reviews it: a person's name, another than who stated it.")
@click.option("--refuse", is_flag=True, help="It is not so: it never counts.")
@config_option
@words_option
@json_option
def review(saying_id: int | None, reviewed_by: str, refuse: bool, config: Path, words: Words, as_json: bool) -> None:
    """Agree to what another person stated (or --refuse it). Without SAYING_ID: list what waits.

    No one person alone makes the federation look for a pupil whom no school system shows as gone: whoever stated it
    cannot review it. Until then the case file stands here alone; with --refuse it is taken back.
    """
    if saying_id is not None and not reviewed_by:
        raise click.UsageError("Give your name with --by.")
    with open_stub(config) as stub:
        waiting = Client(stub).review(saying_id or 0, reviewed_by=reviewed_by, refuse=refuse)
    if as_json:
        printing.as_json(waiting)
        return
    if saying_id is not None:
        click.echo(words(Text.REFUSED if refuse else Text.AGREED, saying_id=saying_id))
    if not waiting:
        click.echo(words(Text.NOTHING_WAITS))
        return
    printing.waiting(waiting, words)
