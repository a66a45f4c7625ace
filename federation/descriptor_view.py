"""A descriptor in words: what it says, and what changed since another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from federation.descriptor_file import (
    Evaluator,
    File,
    InvalidDescriptorError,
    Member,
    PolicyValues,
    Reader,
    Registry,
)
from federation.errors import printable


def changes(before: File, after: File) -> list[str]:
    """What an administrator must have seen before accepting `after` in place of `before`: one line a change."""
    lines = []
    for name in ("serial", "expires", "zone", "calendars", "ledger_key"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            lines.append(f"{name}: {_short(old)} -> {_short(new)}")
    for name in before.policy.__struct_fields__:
        old, new = getattr(before.policy, name), getattr(after.policy, name)
        if old != new:
            lines.append(f"policy: {name} {_short(old)} -> {_short(new)}")
    entries: list[tuple[str, Callable[[File], dict[Any, Any]]]] = [
        ("CA", lambda file: {fingerprint(each): each for each in file.ca_certificates}),
        ("registry", lambda file: {each.name: each for each in file.registries}),
        ("evaluator", lambda file: {each.index: each for each in file.evaluators}),
        ("epoch", lambda file: {each.epoch: each for each in file.epochs}),
        ("member", lambda file: {each.id: each for each in file.members}),
        ("reader", lambda file: {each.name: each for each in file.readers}),
    ]
    for what, listed in entries:
        old_entries, new_entries = listed(before), listed(after)
        lines += [f"{what} {key}: removed" for key in old_entries if key not in new_entries]
        lines += [f"{what} {key}: added{_added(entry)}" for key, entry in new_entries.items() if key not in old_entries]
        for key, entry in new_entries.items():
            other = old_entries.get(key)
            if other is not None and other != entry:
                lines += [
                    f"{what} {key}: {name} {_short(getattr(other, name))} -> {_short(getattr(entry, name))}"
                    for name in entry.__struct_fields__
                    if getattr(other, name) != getattr(entry, name)
                ]
    return [*map(printable, lines)]


def _added(entry: object) -> str:
    """What sets quotas, who it calls itself, where it is to be found, what it may see."""
    match entry:
        case Member():
            return f" ({entry.name or 'no name'}, {entry.population} pupils)"
        case Registry() | Evaluator():
            return f" (at {entry.address})"
        case Reader():
            return f" (role {entry.role})"
    return ""


def _short(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)


def described(file: File, *, verified: bool) -> list[str]:
    expires = "not signed yet" if file.expires is None else f"valid until {file.expires:%Y-%m-%d %H:%M} UTC"
    values = file.policy
    lines = [
        f"Descriptor, serial {file.serial}, {expires}",
        "Signature verified." if verified else "Signature NOT verified (give --authority).",
        f"Zone {file.zone}; protected identities: {values.protected}",
        f"Watch {values.watch_school_days} school days; silent after {values.silence_school_days} school days",
        *_limits(values),
    ]
    for name, pauses in file.calendars.items():
        lines.append(f"Calendar {name}: {', '.join(f'{each.start} to {each.end}' for each in pauses) or 'no breaks'}")
    lines += [f"CA {fingerprint(each)}" for each in file.ca_certificates]
    lines += [
        f"Registry {each.name} at {each.address}, key {each.key_sha256 or 'not pinned'}" for each in file.registries
    ]
    lines += [
        f"Evaluator {each.index} at {each.address}, key {each.key_sha256 or 'not pinned'}" for each in file.evaluators
    ]
    lines.append("No ledger" if file.ledger_key is None else f"Ledger signed with key {file.ledger_key.hex()}")
    lines += [
        f"Epoch {each.epoch}: any {each.threshold} of {each.shares}, share version {each.share_version}, "
        f"signed by {', '.join(map(str, each.signatures)) or 'nobody yet'}, K {each.public_key.hex()}"
        for each in file.epochs
    ]
    lines.append(f"{len(file.members)} members:")
    lines += [
        f"  {each.id:<15} {each.name:<24} {each.population:>9,}  key {each.key_sha256}"
        + ("" if each.home is None else f"  home municipality {each.home}")
        for each in file.members
    ]
    lines.append(f"{len(file.readers)} readers of the statistics, whose privacy budget is {values.statistics}:")
    lines += [f"  {each.name:<24} {each.role:<12} key {each.key_sha256}" for each in file.readers]
    return [*map(printable, lines)]


def _limits(values: PolicyValues) -> list[str]:
    """What keeps members from searching the registry, and what is asked of them."""
    share = f" or {values.monthly_openings_percent} % of its roster" if values.monthly_openings_percent else ""
    said = [
        (values.backdating_days, f"an opening counts from at most {values.backdating_days} days before its receipt"),
        (values.answer_kept_days, f"one answer about a pupil in {values.answer_kept_days} days"),
        (values.monthly_openings, f"{values.monthly_openings}{share} openings of a member in a month"),
        (values.second_person, "a second person reviews openings made by hand"),
    ]
    asked = [
        (values.overlap_school_days, f"where two have one pupil for over {values.overlap_school_days} school days"),
        (values.roll_call, "by roll call, about gaps that are soon due"),
    ]
    return [
        f"Limits: {'; '.join(words for on, words in said if on) or 'none'}",
        f"Members are asked: {'; '.join(words for on, words in asked if on) or 'nothing'}",
    ]


def fingerprint(pem: str) -> str:
    try:
        return x509.load_pem_x509_certificate(pem.encode()).fingerprint(SHA256()).hex()
    except ValueError as error:
        raise InvalidDescriptorError("a CA certificate in it is not readable") from error
