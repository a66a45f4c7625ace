"""English: what doctors say. The sentence on what to do stands on a line of its own."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from federation.doctor.findings import Level, Says, Topic

DOCTOR: Mapping[enum.Enum, str] = {
    Topic.SETTINGS: "Settings",
    Topic.SECRET: "Secrets",
    Topic.DIRECTORY: "Data directory",
    Topic.DISK: "Disk",
    Topic.DESCRIPTOR: "Descriptor",
    Topic.OFFER: "Newer descriptor",
    Topic.CERTIFICATE: "Certificate",
    Topic.CLOCK: "Clock",
    Topic.REGISTRY: "Registry",
    Topic.EVALUATOR: "Evaluator",
    Topic.STORE: "Store",
    Topic.QUOTA: "Quota",
    Topic.BACKLOG: "Backlog",
    Topic.IMPORT: "Import",
    Topic.CLOSE: "Close",
    Topic.LEDGER: "Ledger",
    Topic.SHARES: "Shares",
    Topic.KEYS: "Keys",
    Topic.CA: "CA",
    Topic.DAEMON: "Daemon",
    Topic.FETCHES: "Notices",
    Topic.READER: "Reader",
    Topic.ADDRESS: "Address",
    Topic.JOURNAL: "Journal",
    Topic.CONSOLE: "Console",
    Level.OK: "ok",
    Level.WARNING: "warning",
    Level.FAILED: "failed",
    Says.REFUSED: "{sentence}",
    Says.UNFORESEEN: "This check failed in a way that nobody foresaw ({place}).\nPlease report this line.",
    Says.SETTINGS_READ: "{path} is understood; this is {identity}.",
    Says.SECRET_SAFE: "All are there ({count}), and nobody else can read them.",
    Says.DIRECTORY_WRITABLE: "{path} can be written.",
    Says.DIRECTORY_UNWRITABLE: (
        "{path} cannot be written by this user.\nMake it a directory that belongs to the user whom the daemon runs as, "
        "on a disk that is not mounted read-only, and run this as that user."
    ),
    Says.DIRECTORY_ABSENT: "{path} is not there yet.\nMake the store: upprop {role} migrate",
    Says.DIRECTORY_TO_COME: "{path} is not there yet; it is made at the first start.",
    Says.DIRECTORY_OPEN: "{path} can be read by others (mode {mode}).\nRun: chmod 700 {path}",
    Says.DISK_ROOM: "{free} of {size} are free.",
    Says.DISK_SHORT: "Only {free} of {size} are free.\nMake room before the store cannot be written any more.",
    Says.DESCRIPTOR_IN_FORCE: "Serial {serial} is signed by the pinned authority and in force until {until}.",
    Says.DESCRIPTOR_ENDS: (
        "Serial {serial} is in force until {until} only: {days} days.\nAsk the authority when it signs the next one; "
        "under an expired one no party speaks to another."
    ),
    Says.DESCRIPTOR_BEHIND: (
        "Registry {name} has serial {newer}; here it is {serial}.\nA running daemon fetches it within a minute; start "
        "it, or see its log for descriptor_not_taken."
    ),
    Says.OFFER_WAITS: (
        "Serial {serial} waits for your acceptance; until then it only denies.\nSee what changed, and accept it: "
        "upprop evaluator accept"
    ),
    Says.CERTIFICATE_IN_FORCE: "Valid until {until} ({days} days), of a CA of the descriptor, with the listed key.",
    Says.CERTIFICATE_ENDS: (
        "Valid until {until} only: {days} days.\nRenew it in your PKI and put it at {path}; it is taken up without a "
        "restart."
    ),
    Says.CERTIFICATE_NOT_RENEWED: (
        "Valid until {until} only: {days} days, though a running daemon renews it by itself.\nSee that the daemon "
        "runs, that it may write {path}, and its log for certificate_not_renewed."
    ),
    Says.CLOCK_RIGHT: "Within {seconds} s of registry {name}.",
    Says.CLOCK_AHEAD: (
        "{seconds} s ahead of registry {name}.\nSet this machine's clock by a time server (timedatectl set-ntp true) "
        "before it is so wrong that it is refused."
    ),
    Says.CLOCK_BEHIND: (
        "{seconds} s behind registry {name}.\nSet this machine's clock by a time server (timedatectl set-ntp true) "
        "before it is so wrong that it is refused."
    ),
    Says.CLOCK_FAR_AHEAD: (
        "{seconds} s ahead of registry {name}.\nSet this machine's clock by a time server: timedatectl set-ntp true"
    ),
    Says.CLOCK_FAR_BEHIND: (
        "{seconds} s behind registry {name}.\nSet this machine's clock by a time server: timedatectl set-ntp true"
    ),
    Says.CLOCK_ALONE: "There is no other registry to compare with; this machine says {now} UTC.",
    Says.CLOCK_UNKNOWN: (
        "No registry told its time.\nSee the lines on the registries; meanwhile compare by hand: this machine says "
        "{now} UTC."
    ),
    Says.PEER_ANSWERS: "Answers at {address}, knows us and is ready.",
    Says.PEER_KNOWS_US_NOT: (
        "Answers at {address}, but the descriptor in force there does not list us with our key.\nIf the authority has "
        "just signed one that does, its administrator has yet to accept it: ask whoever runs it, or the authority."
    ),
    Says.PEER_NOT_READY: (
        "Answers at {address}, but is not ready to work.\nIt starts or stops, its store does not answer, or its "
        "descriptor has expired; try again, then ask its operator."
    ),
    Says.PEER_NOT_NAMED: (
        "The name {host} of {address} cannot be resolved.\nCheck this machine's DNS, and whether the descriptor is the "
        "newest."
    ),
    Says.PEER_NOTHING_LISTENS: (
        "Nothing listens at {address}.\nEither it does not run, or something in between refuses; ask its operator, and "
        "whoever runs your firewall."
    ),
    Says.PEER_SILENT: (
        "{address} does not answer.\nMost often a firewall: connections from this machine to {address} must be let "
        "out. Else its machine is down."
    ),
    Says.PEER_HANDSHAKE: (
        "Something listens at {address}, but no secure connection comes about.\nOne side does not accept the other's "
        "certificate, or something in between breaks TLS open; see the lines on certificate, clock and descriptor, "
        "then ask its operator what its log says."
    ),
    Says.PEER_NOT_TRIED: "Not tried: descriptor, certificate or key are missing.\nMend what the lines above say first.",
    Says.STORE_CURRENT: "The schema is {revision}, the one that this program knows.",
    Says.STORE_ABSENT: "There is no store yet.\nMake it: upprop {role} migrate",
    Says.STORE_UNREAD: "Not looked into: the store cannot be read.\nMend what the line on the store says first.",
    Says.DAEMON_RUNS: "It runs, and answers commands.",
    Says.DAEMON_RESTS: "None runs here.\nStart it: upprop {role} serve",
}
