"""A node that writes mails, which nobody takes: what it has made lies in its store."""

from __future__ import annotations

import msgspec

from node.casework.mailing.settings import MailSettings
from tests.integration.node_parties import Node

NOWHERE = MailSettings(server="127.0.0.1:9", sender="upprop@kommunen.example.se", security="none")


def let_write(node: Node) -> None:
    node.settings = msgspec.structs.replace(node.settings, mail=NOWHERE)
    node.restart()


def written(node: Node, occasion: str) -> list[str]:
    """The roles to whose duty a mail of this occasion was made."""
    query = f"SELECT role FROM mails WHERE occasion = '{occasion}'"
    return node.app.database.view("test_mails", lambda tx: [row.role for row in tx.exec_driver_sql(query)])
