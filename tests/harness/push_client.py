"""A school system that pushes: what its makers would write, from the contract alone.

    client = PushClient("127.0.0.1:7450", Path("credentials"))
    client.put_roster(persons, date(2026, 8, 24))     all it has, in as many parts as that takes
    client.put(persons, date(2026, 8, 25))            what has changed since; nobody: nothing has
    client.withdraw(person_id, last_day, as_of)

`persons` are those of an SS 12000 export. Every method raises `grpc.RpcError`; `code_of` gives the node's own code.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import grpc

from federation.v1 import enrolment_pb2
from federation.v1.enrolment_pb2_grpc import EnrolmentServiceStub

MAX_PERSONS = 1_000
"""The contract's limit."""
SECONDS = 60.0

Answer = enrolment_pb2.PutEnrolmentsResponse


class PushClient:
    """Calls one node with the credentials that `upprop node client add NAME --out DIRECTORY` wrote."""

    def __init__(self, address: str, directory: Path, *, seconds: float = SECONDS) -> None:
        credentials = grpc.ssl_channel_credentials(
            (directory / "ca.crt").read_bytes(),
            (directory / "client.key").read_bytes(),
            (directory / "client.crt").read_bytes(),
        )
        # A channel of its own for each client: gRPC would let two of one address share a connection.
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
        self.channel = grpc.secure_channel(address, credentials, options=options)
        self.stub = EnrolmentServiceStub(self.channel)
        self._seconds = seconds

    def put(
        self, persons: Iterable[Any], as_of: date, *, deleted: Sequence[str] = (), request_id: bytes | None = None
    ) -> list[Answer]:
        """State what has changed; one answer for each thousand persons."""
        parts = list(_parts(persons)) or [[]]
        return [
            self.send(request(part, as_of, deleted=deleted if place == 0 else (), request_id=request_id))
            for place, part in enumerate(parts)
        ]

    def put_roster(self, persons: Iterable[Any], as_of: date) -> list[Answer]:
        """State all that the school system has; whoever is left out has vanished."""
        return [self.send(part) for part in roster(persons, as_of)]

    def send(self, put: enrolment_pb2.PutEnrolmentsRequest) -> Answer:
        return self.stub.PutEnrolments(put, timeout=self._seconds)

    def withdraw(
        self, person_id: str, last_day: date, as_of: date, *, request_id: bytes | None = None, **fields: Any
    ) -> int:
        """How many enrolments end by it. `fields`: `reason`, `enroled_at`."""
        wanted = enrolment_pb2.WithdrawRequest(
            request_id=request_id or secrets.token_bytes(16),
            as_of=as_of.isoformat(),
            person_id=person_id,
            last_day=last_day.isoformat(),
            **fields,
        )
        return self.stub.Withdraw(wanted, timeout=self._seconds).ended

    def request_withdrawal(
        self,
        person_id: str,
        last_day: date,
        *,
        request_id: bytes,
        responsible: str = "Rut Rektor",
        moved: bool = True,
        unit: str = "",
    ) -> int:
        """Ask to withdraw a person, from one school unit or from all; returns the state."""
        reason = enrolment_pb2.WITHDRAWAL_REASON_MOVED if moved else enrolment_pb2.WITHDRAWAL_REASON_UNSPECIFIED
        request = enrolment_pb2.RequestWithdrawalRequest(
            request_id=request_id,
            person_id=person_id,
            last_day=last_day.isoformat(),
            reason=reason,
            responsible=responsible,
            enroled_at=unit,
        )
        return self.stub.RequestWithdrawal(request, timeout=self._seconds).state

    def withdrawal(self, request_id: bytes) -> int:
        """The state of a withdrawal that was asked for."""
        request = enrolment_pb2.GetWithdrawalRequest(request_id=request_id)
        return self.stub.GetWithdrawal(request, timeout=self._seconds).state

    def heard(self) -> str | None:
        """The newest as-of that the node has taken."""
        state = self.stub.GetState(enrolment_pb2.GetStateRequest(), timeout=self._seconds)
        return state.as_of if state.HasField("as_of") else None

    def close(self) -> None:
        self.channel.close()

    def __enter__(self) -> PushClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def request(
    persons: Iterable[Any], as_of: date, *, request_id: bytes | None = None, **fields: Any
) -> enrolment_pb2.PutEnrolmentsRequest:
    """One put. `fields`: `deleted`, `roster_part`."""
    return enrolment_pb2.PutEnrolmentsRequest(
        request_id=request_id or secrets.token_bytes(16),
        as_of=as_of.isoformat(),
        persons=map(person_of, persons),
        deleted_person_ids=fields.get("deleted", ()),
        roster_part=fields.get("roster_part"),
    )


def roster(persons: Iterable[Any], as_of: date, size: int = MAX_PERSONS) -> list[enrolment_pb2.PutEnrolmentsRequest]:
    """A whole roster, in parts of `size` persons."""
    roster_id, parts = secrets.token_bytes(16), list(_parts(persons, size)) or [[]]
    return [
        request(part, as_of, roster_part=enrolment_pb2.RosterPart(roster_id=roster_id, part=place, parts=len(parts)))
        for place, part in enumerate(parts, start=1)
    ]


def person_of(person: Any) -> enrolment_pb2.Person:
    """A person of an SS 12000 export as the contract has it."""
    return enrolment_pb2.Person(
        id=person["id"],
        civic_no=(person.get("civicNo") or {}).get("value", ""),
        given_name=person.get("givenName"),
        middle_name=person.get("middleName"),
        family_name=person.get("familyName"),
        birth_date=person.get("birthDate"),
        sex=person.get("sex"),
        security_marking=person.get("securityMarking"),
        person_status=person.get("personStatus"),
        enrolments=[
            enrolment_pb2.Enrolment(
                enroled_at=row["enroledAt"]["id"],
                school_type=row.get("schoolType"),
                start_date=row.get("startDate"),
                end_date=row.get("endDate"),
                school_year=row.get("schoolYear"),
                cancelled=row.get("cancelled"),
            )
            for row in person.get("enrolments") or ()
        ],
    )


def code_of(error: grpc.RpcError) -> str:
    """The node's own code for a refusal, or gRPC's where the node was not reached."""
    call: Any = error
    return str(dict(call.trailing_metadata() or ()).get("upprop-code", call.code().name))


def _parts(persons: Iterable[Any], size: int = MAX_PERSONS) -> Iterator[list[Any]]:
    rest = iter(persons)
    while part := list(islice(rest, size)):
        yield part
