"""A contact goes on where a store was set back to an older copy: nothing that is written afterwards is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.casework.contact.exchanging import BEHIND
from registry.store.schema_contact import contact_messages, contacts
from tests.integration.contact_parties import connected, journal, linked, standing, texts, write
from tests.integration.node_parties import Federation, Node
from tests.integration.played import Played


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("linked"), linked)


@pytest.fixture
def federation(played: Played) -> Iterator[Federation]:
    with played.anew() as parties:
        yield parties


def copied(node: Node, copy: Path) -> None:
    node.close()
    shutil.copy(node.settings.data_dir / "node.sqlite", copy)
    node.open()


def set_back(node: Node, copy: Path) -> None:
    node.close()
    for path in node.settings.data_dir.glob("node.sqlite*"):
        path.unlink()
    shutil.copy(copy, node.settings.data_dir / "node.sqlite")
    node.open()


def received(node: Node) -> list[str]:
    return [text for outgoing, _, text in texts(node) if not outgoing]


def events(node: Node) -> list[tuple[object, object]]:
    return [(entry["event"], entry.get("sequence")) for entry in journal(node, "CONTACT")]


@pytest.mark.parametrize("written_before_the_sync", [False, True])
def test_what_a_node_writes_after_it_was_set_back_arrives(
    federation: Federation, tmp_path: Path, *, written_before_the_sync: bool
) -> None:
    lead, other = connected(federation)
    copied(lead, tmp_path / "copy.sqlite")
    for text in ("Ett", "Två"):
        write(lead, text)
    for node in (lead, other):
        assert node.sync().problems == ()
    set_back(lead, tmp_path / "copy.sqlite")
    if written_before_the_sync:
        # Under a number that was used, as nobody has told this store yet.
        write(lead, "Tre")
        write(lead, "Fyra")
    assert BEHIND in lead.sync().problems
    if not written_before_the_sync:
        write(lead, "Tre")
        write(lead, "Fyra")
    assert lead.sync().problems == ()
    assert other.sync().problems == ()
    assert received(other) == ["Ett", "Två", "Tre", "Fyra"]
    assert ("renumbered", "2") in events(lead)
    # Once.
    assert lead.sync().problems == ()
    assert [event for event, _ in events(lead)].count("renumbered") == 1


def test_more_was_written_after_the_copy_than_was_sent_before(federation: Federation, tmp_path: Path) -> None:
    """The store does not lag behind in numbers: that another message has this one's is told when it is sent."""
    lead, other = connected(federation)
    copied(lead, tmp_path / "copy.sqlite")
    write(lead, "Ett")
    for node in (lead, other):
        assert node.sync().problems == ()
    set_back(lead, tmp_path / "copy.sqlite")
    for text in ("Två", "Tre"):
        write(lead, text)
    assert BEHIND in lead.sync().problems
    for node in (lead, other):
        assert node.sync().problems == ()
    assert received(other) == ["Ett", "Två", "Tre"]


def test_what_comes_after_a_node_was_set_back_is_taken_and_what_it_lacks_is_noted(
    federation: Federation, tmp_path: Path
) -> None:
    lead, other = connected(federation)
    copied(other, tmp_path / "copy.sqlite")
    for text in ("Ett", "Två"):
        write(lead, text)
    for node in (lead, other):
        assert node.sync().problems == ()
    set_back(other, tmp_path / "copy.sqlite")
    write(lead, "Tre")
    assert lead.sync().problems == ()
    assert BEHIND in other.sync().problems
    assert received(other) == ["Tre"]
    assert ("behind", "2") in events(other)
    assert not any(line.contact.flawed for line in standing(other).contacts)
    assert other.sync().problems == ()


@pytest.mark.parametrize("fetched", [False, True])
def test_a_registry_that_was_set_back_is_sent_again_what_it_lost(federation: Federation, *, fetched: bool) -> None:
    lead, other = connected(federation)
    for text in ("Ett", "Två"):
        write(lead, text)
    assert lead.sync().problems == ()
    if fetched:
        assert other.sync().problems == ()
    database = federation.registry_app.database
    earlier = contacts.update().values(asking_sent=0, asking_last=None, asked_has=0)
    database.run("t", lambda tx: (tx.execute(earlier).rowcount, tx.execute(contact_messages.delete()).rowcount))
    write(lead, "Tre")
    for node in (lead, other):
        assert node.sync().problems == ()
    assert received(other) == ["Ett", "Två", "Tre"]
    assert database.view("t", lambda tx: tx.execute(contact_messages.select()).all()) == []
