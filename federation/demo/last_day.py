"""What the people of a demonstration do on its last day, when what was found has been counted: no page stays empty.

They look after those who came, have somebody on duty, ask to withdraw a pupil, take in attendance and the list of
resident children, and where two members miss one pupil they get into contact. All of it is invented.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from federation.demo.generator.people import Population
from federation.demo.office import Offices, Worker, cases
from federation.demo.simulate import Simulation
from federation.rules.vocabulary import MemberId
from federation.v1 import control_pb2
from node.casework.actor import Role
from node.model import Reason

ADMINISTRATOR = ("Charlie Ek", (Role.ADMINISTRATOR,))
ON_DUTY = (("Kim Bergdahl", "1"), ("Alex Nyström", "2"))
PRINCIPAL = "Rektor Mika Sandell"
SCHOOL_DAYS = 8
"""Of attendance, as far as weekends let one tell."""
ABSENT_DAYS = 7
LEFT_FOR_LOOKERS = 3
"""Questions whether somebody was seen in school that nobody has answered yet."""

Person = dict[str, Any]


def settle(simulation: Simulation, offices: Offices) -> None:
    """Work at every member, then carry over what they have for each other."""
    for place, name in enumerate(simulation.trial.nodes):
        member = MemberId(name)
        staff = offices.staff(member)
        enrolled = _enrolled(simulation.exported(member), simulation.today)
        _take_sources(simulation, member, enrolled)
        _answer(staff[1])
        _put_on_duty(Worker(simulation.trial.console(member), *ADMINISTRATOR), simulation.today)
        _ask_to_withdraw(staff[0], enrolled[-1 - place], simulation.today)
    _get_into_contact(simulation, offices)


def _enrolled(export: Path, today: date) -> list[Person]:
    """Who goes to school here today, of those about whom everybody may know."""

    def goes(enrolment: dict[str, Any]) -> bool:
        until = enrolment.get("endDate", "9999-12-31")
        return not enrolment["cancelled"] and str(enrolment["startDate"]) <= today.isoformat() <= until

    persons = json.loads(export.read_bytes())["data"]
    return [
        person
        for person in persons
        if person["securityMarking"] == "Ingen" and "civicNo" in person and any(map(goes, person["enrolments"]))
    ]


def _take_sources(simulation: Simulation, member: MemberId, enrolled: Sequence[Person]) -> None:
    """Attendance in which one pupil lacks, and children of whom no school is known here."""
    trial, today = simulation.trial, simulation.today
    weekdays = [day for back in range(20) if (day := today - timedelta(days=back)).weekday() < 5][:SCHOOL_DAYS]
    absent = enrolled[len(enrolled) // 2]["id"]
    rows = ["person_id;personnummer;datum;närvaro;ledighet;giltig"]
    for person in enrolled:
        for back, day in enumerate(weekdays):
            there = "nej" if person["id"] == absent and back < ABSENT_DAYS else "ja"
            rows.append(f"{person['id']};;{day};{there};nej;nej")
    attendance = _written(trial.home / f"{member}-attendance.csv", rows)
    trial.ask(trial.nodes[member], "ImportAttendance", control_pb2.ImportAttendanceRequest(path=str(attendance)))

    rng = random.Random(member)  # noqa: S311 - invented people
    people = Population(rng, today.year, {person["civicNo"]["value"] for person in enrolled})
    rows = ["personnummer;förnamn;efternamn;bosatt_från;känd_skola;skyddad"]
    for year, school in ((1, ""), (4, ""), (7, "Internationella skolan, Exempelstad")):
        child = people.pupil("GR", year)
        rows.append(f"{child.number};{child.given_name};{child.family_name};{today - timedelta(days=60)};{school};nej")
    residents = _written(trial.home / f"{member}-residents.csv", rows)
    request = control_pb2.ImportResidentsRequest(path=str(residents), as_of=today.isoformat())
    trial.ask(trial.nodes[member], "ImportResidents", request)


def _written(path: Path, rows: Sequence[str]) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _answer(worker: Worker) -> None:
    """Most of those who came have been seen in school."""
    tasks = [path for path in dict.fromkeys(worker.read("/sv/uppgifter").links) if path.startswith("/sv/uppgifter/")]
    asked = [form for path in tasks for form in worker.read(path).forms if "SEEN" in form.options.get("answer", ())]
    for form in asked[: max(0, len(asked) - LEFT_FOR_LOOKERS)]:
        worker.send(form, answer="SEEN")


def _put_on_duty(administrator: Worker, today: date) -> None:
    for name, place in ON_DUTY:
        [form] = [form for form in administrator.read("/sv/jour").forms if "address" in form.values]
        address = f"{name.split()[0].lower()}@kommun.example"
        chosen = {"role": Role.CASEWORKER.value, "place": place, "name": name, "address": address}
        administrator.send(form, **chosen, **{"from": today.isoformat()})


def _ask_to_withdraw(worker: Worker, person: Person, today: date) -> None:
    [form] = [form for form in worker.read("/sv/sparrar").forms if "responsible" in form.values]
    last_day = (today + timedelta(days=7)).isoformat()
    note = "Familjen säger att de flyttar utomlands efter lovet."
    worker.send(
        form,
        person=person["id"],
        last_day=last_day,
        unit="",
        reason=Reason.MOVED.value,
        responsible=PRINCIPAL,
        note=note,
    )


def _get_into_contact(simulation: Simulation, offices: Offices) -> None:
    """The first case that two members share: the one that leads it asks, the other says yes, and both write."""
    steps = (
        {"do": "ask", "ground": "SCHOOL_ATTENDANCE"},
        {"do": "accept"},
        {"do": "write", "text": "Vi söker en elev som har gått hos er också. Vad vet ni om familjens planer?"},
        {"do": "write", "text": "Skolan hos oss hörde att de skulle resa bort en tid. Vi ringer er i morgon."},
    )
    last: MemberId | None = None
    for turn, chosen in enumerate(steps):
        last = _first(simulation, offices, chosen, colleague=1 + turn % 2, other_than=last)
        if last is None:
            return
        # The other side may have asked for news before this one had sent any.
        for _ in range(2):
            simulation.sync()


def _first(
    simulation: Simulation, offices: Offices, chosen: dict[str, str], *, colleague: int, other_than: MemberId | None
) -> MemberId | None:
    """Who could send such a form of a contact, and did; None: nobody."""
    for name in simulation.trial.nodes:
        member = MemberId(name)
        if member == other_than:
            continue
        worker = offices.staff(member)[colleague]
        for path in cases(worker.read("/sv/")):
            for form in worker.read(f"{path}/kontakt").forms:
                if form.values.get("do") == chosen["do"]:
                    worker.send(form, **chosen)
                    return member
    return None
