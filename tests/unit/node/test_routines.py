"""Routines as files: what the shipped ones hold, and what is said of one that is not in order."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.errors import Code, UppropError
from federation.rules.calendar import Break, SchoolCalendar
from federation.web.i18n import Language
from node.casework.actor import Role
from node.casework.routines import clocks, reading, wording
from node.casework.routines.catalogue import Catalogue
from node.casework.routines.cli import routine as commands
from node.casework.routines.flaws import FlawedError, FlawKind
from node.casework.routines.help import Directory
from node.casework.routines.leaflets import Leaflets
from node.casework.routines.model import (
    HELD_ABROAD,
    LASTING_SUPPORT,
    MISSING_PUPIL,
    PROTECTED_IDENTITY,
    Clock,
    CountsAs,
    HelpKind,
)

SHIPPED = Catalogue.of(None)
SCHOOL = SchoolCalendar([Break(date(2026, 6, 13), date(2026, 8, 18)), Break(date(2026, 10, 26), date(2026, 10, 30))])


def made(**more: str) -> str:
    """A sound routine of two steps, `a` and `b`, with lines of their own."""
    return textwrap.dedent(f"""
        name: egen
        edition: 1
        title: {{sv: Egen}}
        summary: {{sv: Kommunens egen}}
        steps:
          - id: a
            title: {more.get("title", "{sv: A}")}
            text: {{sv: Gör a}}
            role: {more.get("role", "caseworker")}
            due: {more.get("due", "{school_days: 1}")}
            {more.get("a", "law: []")}
            outcomes:
              - {{id: ja, title: {{sv: Ja}}, {more.get("ja", "then: []")}}}
          - id: {more.get("id", "b")}
            title: {{sv: B}}
            text: {{sv: Gör b}}
            role: caseworker
            due: {{school_days: 3}}
            {more.get("b", "law: []")}
            outcomes:
              - {{id: ja, title: {{sv: Ja}}, {more.get("b_ja", "then: []")}}}
        """)


def flaws(content: str) -> list[FlawKind]:
    with pytest.raises(FlawedError) as caught:
        reading.read(content)
    return [flaw.kind for flaw in caught.value.flaws]


def test_four_routines_are_shipped_in_both_languages_with_role_clock_and_outcomes() -> None:
    listed = SHIPPED.all()
    assert {each.routine.name for each in listed} == {MISSING_PUPIL, HELD_ABROAD, PROTECTED_IDENTITY, LASTING_SUPPORT}
    for each in listed:
        for step in each.routine.steps:
            words = [step.title, step.text, *(outcome.title for outcome in step.outcomes)]
            assert all(text.sv and text.en for text in words)
    protected = SHIPPED[PROTECTED_IDENTITY].routine
    assert {step.role for step in protected.steps} == {Role.PROTECTED}


def test_the_clocks_of_a_missing_pupil_are_those_that_were_asked_for() -> None:
    steps = {step.id: step for step in SHIPPED[MISSING_PUPIL].routine.steps}
    school_days = {step_id: step.due.school_days for step_id, step in steps.items() if step.due is not None}
    assert {step_id: days for step_id, days in school_days.items() if days is not None} == {
        "folkbokforing": 0,
        "orsak": 0,
        "kontakter": 3,
        "mentor-och-klasskamrater": 3,
        "brev": 5,
        "syskonens-skolor": 5,
        "hembesok": 5,
        "folkbokforing-igen": 5,
        "hemkommunen": 10,
        "gemensam-bedomning": 20,
    }
    assert steps["folkbokforing"].role is Role.PROTECTED
    contacting = ("kontakter", "mentor-och-klasskamrater", "brev", "syskonens-skolor", "hembesok")
    assert all(steps[step].after == ("folkbokforing",) for step in contacting)
    assert steps["socialtjanstens-beslut"].due == Clock(days=14)
    assert steps["inte-passivt"].due == Clock(months=2)
    assert steps["utlandsvistelse"].due == Clock(months=6)
    assert steps["efter-lov"].due == Clock(after_break=True)
    # Coming again: a stay abroad is proved anew, and nobody is forgotten over a break.
    for step in ("utlandsvistelse", "efter-lov", "inte-passivt"):
        assert any(step in outcome.loop for outcome in steps[step].outcomes)


@pytest.mark.parametrize("name", [MISSING_PUPIL, HELD_ABROAD, PROTECTED_IDENTITY])
def test_a_worry_is_reported_at_once_and_waits_for_nothing(name: str) -> None:
    routine = SHIPPED[name].routine
    [report] = [step for step in routine.steps if step.counts_as is CountsAs.WORRY_REPORT]
    assert report.at_once
    assert (report.after, report.due) == ((), Clock(days=0))
    if report not in routine.begins_with():
        ways = [step for step in routine.steps for each in step.outcomes if report.id in each.then]
        # One of them stands open at any time, and is itself not kept waiting.
        assert any(step.standing and not step.after for step in ways)


def test_held_abroad_reaches_every_authority_and_goes_on_past_18() -> None:
    routine = SHIPPED[HELD_ABROAD].routine
    assert routine.past_18
    assert routine.outlives_close
    steps = {step.id for step in routine.begins_with()}
    assert steps >= {"polisanmalan", "lvu", "utrikesdepartementet", "skatteverket", "forsakringskassan"}
    assert "migrationsverket" in steps
    laws = " ".join(law for step in routine.steps for law in step.law)
    assert "31 a §" in laws
    assert "6 §" in laws


def test_lasting_support_has_seven_steps_and_comes_again_until_it_ends() -> None:
    steps = SHIPPED[LASTING_SUPPORT].routine.steps
    assert [step.title.sv[:2] for step in steps] == [f"{number}." for number in range(1, 8)]
    follow_up, close = steps[5], steps[6]
    assert [(outcome.id, outcome.loop, outcome.then) for outcome in follow_up.outcomes] == [
        ("forlanga", ("uppfoljning",), ()),
        ("andra", ("behov",), ()),
        ("avsluta", (), ("avslut",)),
    ]
    assert [outcome.ends for outcome in close.outcomes] == [True, False]
    assert [step for step in steps if any(outcome.ends for outcome in step.outcomes)] == [close]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (made(a="after: [finns-inte]"), FlawKind.UNKNOWN_STEP),
        (made(ja="then: [finns-inte]"), FlawKind.UNKNOWN_STEP),
        (made(ja="then: [b]", b_ja="then: [a]"), FlawKind.CYCLE),
        (made(ja="then: [a]"), FlawKind.CYCLE),
        (made(a="after: [b]", b="after: [a]"), FlawKind.CYCLE),
        (made(ja="loop: [b]"), FlawKind.LOOP_NOT_BACK),
        (made(due="{school_days: 0}", ja="loop: [a]"), FlawKind.LOOP_WITHOUT_CLOCK),
        (made(due="{school_days: -1}"), FlawKind.CLOCK_PAST),
        (made(due="{months: 600}"), FlawKind.CLOCK_TOO_LONG),
        (made(due="{school_days: 1, months: 1}"), FlawKind.CLOCK_SEVERAL),
        (made(due="{}"), FlawKind.CLOCK_MISSING),
        (made(due="{school_days: 1}", a="after: [b]"), FlawKind.CLOCK_BEFORE),
        (made(a="standing: true"), FlawKind.STANDING_CLOCK),
        (made(due="{school_days: 9}", a="after: [b]\n            at_once: true"), FlawKind.AT_ONCE_WAITS),
        (made(title='{sv: " "}'), FlawKind.TEXT_MISSING),
        (made(title="{en: A}"), FlawKind.MISSING_FIELD),
        (made(title="{sv: A, fr: A}"), FlawKind.UNKNOWN_FIELD),
        (made(role="minister"), FlawKind.WRONG_VALUE),
        (made(due="{school_days: snart}"), FlawKind.WRONG_VALUE),
        (made(id="a"), FlawKind.STEP_TWICE),
        (made(id="Å steg"), FlawKind.NAME),
        (made(a="role: caseworker"), FlawKind.KEY_TWICE),
        (made().replace("sv: Egen}", "sv: &x Egen}").replace("{sv: Ja}", "{sv: *x}"), FlawKind.ALIAS),
        ("name: [", FlawKind.NOT_YAML),
        ("!!python/object/apply:os.system [ls]", FlawKind.NOT_YAML),
        ("- 1", FlawKind.WRONG_VALUE),
        ("x" * 300_000, FlawKind.TOO_LARGE),
    ],
)
def test_what_is_wrong_is_named_in_both_languages(content: str, expected: FlawKind) -> None:
    assert expected in flaws(content)
    with pytest.raises(FlawedError) as caught:
        reading.read(content)
    for language in Language:
        assert all(wording.sentence(flaw, language) for flaw in caught.value.flaws)


def test_a_declared_loop_is_no_circle_and_a_sound_routine_is_read_back_as_it_was() -> None:
    routine = reading.read(made(ja="then: [b]", b_ja="loop: [a]"))
    assert reading.from_json(reading.as_json(routine)) == routine
    # Another text is another version.
    assert reading.digest(routine) != reading.digest(reading.read(made(ja="then: [b]")))
    assert routine.title.text(Language.ENGLISH) == "Egen"
    assert routine.title.language(Language.ENGLISH) is Language.SWEDISH


def test_every_kind_of_flaw_has_a_sentence() -> None:
    for language in Language:
        assert all(f"flaw.{kind.value}" in wording.texts(language) for kind in FlawKind)


def test_the_municipality_s_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "routines").mkdir()
    own = tmp_path / "routines" / f"{MISSING_PUPIL}.yaml"
    own.write_text(made().replace("name: egen", f"name: {MISSING_PUPIL}"))
    found = Catalogue.of(tmp_path)
    assert found[MISSING_PUPIL].own
    assert found[MISSING_PUPIL].digest != SHIPPED[MISSING_PUPIL].digest
    assert not found[HELD_ABROAD].own
    own.write_text(made(ja="starts: [finns-inte]").replace("name: egen", f"name: {MISSING_PUPIL}"))
    with pytest.raises(UppropError, match="no routine called “finns-inte”") as caught:
        Catalogue.of(tmp_path)
    assert caught.value.code is Code.CONFIG_INVALID
    own.write_text(made())
    with pytest.raises(UppropError, match=r"egen\.yaml"):
        Catalogue.of(tmp_path)


@pytest.mark.parametrize(
    ("clock", "begun", "due"),
    [
        (Clock(school_days=0), date(2026, 10, 24), date(2026, 11, 2)),
        (Clock(school_days=3), date(2026, 10, 19), date(2026, 10, 22)),
        (Clock(school_days=5), date(2026, 10, 19), date(2026, 11, 2)),
        (Clock(days=14), date(2026, 10, 19), date(2026, 11, 2)),
        (Clock(months=2), date(2026, 12, 31), date(2027, 2, 28)),
        (Clock(months=6), date(2026, 10, 19), date(2027, 4, 19)),
        # The autumn week; from within it its own end; from the day after it the summer's.
        (Clock(after_break=True), date(2026, 9, 7), date(2026, 11, 2)),
        (Clock(after_break=True), date(2026, 10, 27), date(2026, 11, 2)),
        (Clock(after_break=True), date(2026, 4, 13), date(2026, 8, 19)),
    ],
)
def test_clocks_follow_the_school_s_calendar(clock: Clock, begun: date, due: date) -> None:
    assert clocks.due_on(clock, begun, SCHOOL) == due


def test_a_calendar_without_breaks_still_has_an_again() -> None:
    assert (
        date(2026, 9, 7)
        < clocks.due_on(Clock(after_break=True), date(2026, 9, 7), SchoolCalendar())
        <= date(2027, 9, 7)
    )


def test_help_of_the_municipality_comes_first_and_is_checked(tmp_path: Path) -> None:
    (tmp_path / "help.yaml").write_text(
        "checked_on: 2026-08-01\nentries:\n"
        '  - {id: jour, kind: social-on-call, name: {sv: Socialjouren}, phone: "021-39 00 00", on_paper: true}\n'
        '  - {id: bris, kind: child-line, name: {sv: Vår egen}, phone: "116 111"}\n'
    )
    directory = Directory.of(tmp_path)
    assert directory.own
    assert [entry.name.sv for entry in directory.of_kinds([HelpKind.CHILD_LINE])] == ["Vår egen"]
    assert "021-39 00 00" in [entry.phone for entry in directory.on_paper()]
    (tmp_path / "help.yaml").write_text("entries:\n  - {id: jour, kind: social-on-call, name: {sv: Jour}}\n")
    with pytest.raises(UppropError, match="the field “phone” is missing"):
        Directory.of(tmp_path)


def test_printed_texts_come_in_six_languages_each_in_its_own_direction(tmp_path: Path) -> None:
    leaflets = Leaflets.of(None)
    assert [leaflet.language for leaflet in leaflets.all()] == ["sv", "en", "ar", "fa", "so", "ti"]
    assert {each.language for each in leaflets.all() if each.direction == "rtl"} == {"ar", "fa"}
    # What nobody who speaks it has read says so.
    assert [each.language for each in leaflets.all() if each.checked_by] == ["sv", "en"]
    sheets = leaflets["sv"].child.paragraphs
    for leaflet in leaflets.all():
        assert len(leaflet.child.paragraphs) == len(sheets)
        assert {"emergency", "child-line"} <= leaflet.labels.keys()
        told = " ".join((leaflet.child.title, *leaflet.child.paragraphs))
        assert not any(word in told.lower() for word in ("upprop", "kommun", "heder", "honour", "{"))
    (tmp_path / "leaflets").mkdir()
    (tmp_path / "leaflets" / "sv.yaml").write_text("language: sv\n")
    with pytest.raises(UppropError, match="missing"):
        Leaflets.of(tmp_path)


def test_a_directory_is_checked_before_it_is_put_to_work(tmp_path: Path) -> None:
    (tmp_path / "routines").mkdir()
    (tmp_path / "routines" / "egen.yaml").write_text(made(ja="then: [b]", b_ja="then: [a]"))
    (tmp_path / "help.yaml").write_text("entries: []\n")
    told = CliRunner().invoke(commands, ["check", str(tmp_path), "--config", str(tmp_path / "none.toml")])
    assert told.exit_code == 3
    assert "Stegen går i cirkel: a → b → a" in told.output
    assert "help.yaml: i sin ordning" in told.output
    (tmp_path / "routines" / "egen.yaml").write_text(made())
    told = CliRunner().invoke(commands, ["check", str(tmp_path), "--lang", "en", "--config", str(tmp_path / "none")])
    assert (told.exit_code, told.output) == (0, "egen.yaml: in order\nhelp.yaml: in order\n")
