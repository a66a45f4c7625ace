"""What the journal says."""

from __future__ import annotations

SWEDISH = {
    "journal.kind.OPENED": "Ärendet öppnades",
    "journal.kind.STATUS": "Ny status",
    "journal.kind.CLASSIFIED": "Bedömning",
    "journal.kind.ABSENCE": "Problematisk frånvaro eller saknad",
    "journal.kind.RESPONSIBLE": "Ansvar",
    "journal.kind.GAP": "Luckan ändrades",
    "journal.kind.STEP": "Steg i rutinen",
    "journal.kind.NOTE": "Anteckning",
    "journal.kind.CORRECTION": "Rättelse",
    "journal.kind.ATTACHMENT": "Bilaga",
    "journal.kind.SAYING": "Uppgift till systemet",
    "journal.kind.TASK": "Uppgift besvarad",
    "journal.kind.ATTENDANCE": "Frånvaro",
    "journal.kind.HOLD": "Spärr",
    "journal.kind.LEAD": "Ledning av ärendet",
    "journal.kind.CONTACT": "Kontakt med annan huvudman",
    "journal.kind.MESSAGE": "Meddelande",
    "journal.kind.EXPORTED": "Utlämnat",
}
ENGLISH = {
    "journal.kind.OPENED": "The case file was opened",
    "journal.kind.STATUS": "New status",
    "journal.kind.CLASSIFIED": "Assessment",
    "journal.kind.ABSENCE": "Problematic absence or missing",
    "journal.kind.RESPONSIBLE": "Responsibility",
    "journal.kind.GAP": "The gap changed",
    "journal.kind.STEP": "Step of the routine",
    "journal.kind.NOTE": "Note",
    "journal.kind.CORRECTION": "Correction",
    "journal.kind.ATTACHMENT": "Attachment",
    "journal.kind.SAYING": "Stated to the system",
    "journal.kind.TASK": "Task answered",
    "journal.kind.ATTENDANCE": "Attendance",
    "journal.kind.HOLD": "Hold",
    "journal.kind.LEAD": "Lead of the case",
    "journal.kind.CONTACT": "Contact with another member",
    "journal.kind.MESSAGE": "Message",
    "journal.kind.EXPORTED": "Handed out",
}
