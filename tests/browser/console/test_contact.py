"""Two municipalities that miss the same pupil, each before its own console: asked, accepted, and written to."""

from __future__ import annotations

from federation.v1 import control_pb2
from tests.browser.console.conftest import Seat, Sit
from tests.browser.test_accessibility import violations
from tests.harness.towns import HERE, LINKED, THERE, Towns


def carry(both: Towns, *members: str) -> None:
    """Let these nodes sync, one after the other."""
    for member in members:
        for _ in both.ask(member, "Sync", control_pb2.SyncRequest()):
            pass


def contact_page(seat: Seat) -> None:
    """From the board over the case file."""
    seat.open_case(Towns.name(LINKED))
    seat.page.get_by_role("link", name="Frågor, svar och meddelanden").click()


def test_a_request_is_accepted_and_sealed_messages_go_between_two_nodes(both: Towns, sit: Sit, axe: str) -> None:
    lead = sit(name="Ada Frågande", member=HERE)
    other = sit(name="Bo Svarande", member=THERE)
    contact_page(lead)
    contact_page(other)
    # Who leads the case may ask; the other side is told why it may not, and neither learns who the other is.
    assert other.page.get_by_role("button", name="Skicka frågan").count() == 0
    assert "Göteborg" not in lead.page.locator("main").inner_text()
    assert "Stockholm" not in other.page.locator("main").inner_text()
    lead.press("Skicka frågan", status=400)
    assert "rättslig grund" in lead.error()
    lead.page.get_by_label("Rättslig grund").select_option("SCHOOL_ATTENDANCE")
    lead.press("Skicka frågan")
    assert "Frågan är sparad" in lead.page.locator(".said").inner_text()
    carry(both, HERE, THERE)

    contact_page(other)
    assert "Stockholm frågar efter kontakt" in other.page.locator("main").inner_text()
    assert violations(other.page, axe) == []
    contact_page(lead)
    assert "Göteborg" not in lead.page.locator("main").inner_text()
    # Keyboard alone is enough to accept.
    other.page.get_by_role("button", name="Svara ja").focus()
    with other.page.expect_navigation():
        other.page.keyboard.press("Enter")
    carry(both, THERE, HERE)

    contact_page(lead)
    text = lead.page.locator("main").inner_text()
    assert "Kontakt med Göteborg" in text
    assert "Bo Svarande" in text
    # What was asked is answered: nobody is told to wait.
    assert ("Besvarad med ja" in text, "En fråga är redan ställd" in text) == (True, False)
    lead.page.get_by_label("Nytt meddelande").fill("Vi når inte familjen. <b>Gör ni?</b>")
    lead.press("Skicka")
    carry(both, HERE, THERE)
    contact_page(other)
    assert "Vi når inte familjen. <b>Gör ni?</b>" in other.page.locator("main").inner_text()
    other.page.get_by_label("Nytt meddelande").fill("Vi har talat med en moster.")
    other.press("Skicka")
    carry(both, THERE, HERE)
    contact_page(lead)
    assert "Vi har talat med en moster." in lead.page.locator("main").inner_text()
    assert violations(lead.page, axe) == []
    # The journal tells with whom, by name.
    assert "Den andra sidan: Göteborg (1480)" in lead.open_case(Towns.name(LINKED)).locator("#journal").inner_text()
    lead.go("/sv/kontakter")
    assert "Göteborg" in lead.page.locator("main").inner_text()
