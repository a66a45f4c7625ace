"""What a mail says, in Swedish and in English."""

from __future__ import annotations

SWEDISH = {
    "mail.OPENED.subject": "Nytt ärende {reference}",
    "mail.OPENED.text": "Ett nytt ärende har öppnats: {reference}. Börja med steg 0 i checklistan.",
    "mail.CLOCK.subject": "Frist går ut i ärende {reference}",
    "mail.CLOCK.text": "En frist i ärende {reference} går ut eller har gått ut. Se checklistan.",
    "mail.HOLD.subject": "En spärrad utskrivning behöver ses över",
    "mail.HOLD.text": (
        "En begärd utskrivning har väntat så länge att någon behöver se över den: besluta att eleven skrivs ut, ta "
        "tillbaka begäran eller fortsätt söka eleven."
    ),
    "mail.CONTACT.subject": "Nytt i kontakten med en annan huvudman, ärende {reference}",
    "mail.CONTACT.text": "Något nytt finns i kontakten med en annan huvudman i ärende {reference}.",
    "mail.second": "Du får det här för att ingen har tittat på det sedan {hour}.",
    "mail.link": "Öppna: {link}",
    "mail.foot": "Av integritetsskäl står inget om eleven här. Svara inte på det här meddelandet. Upprop, {member}",
}
ENGLISH = {
    "mail.OPENED.subject": "New case file {reference}",
    "mail.OPENED.text": "A new case file was opened: {reference}. Begin with step 0 of its checklist.",
    "mail.CLOCK.subject": "A clock runs out in case file {reference}",
    "mail.CLOCK.text": "A clock in case file {reference} runs out or has run out. See its checklist.",
    "mail.HOLD.subject": "A held withdrawal needs a look",
    "mail.HOLD.text": (
        "A withdrawal that was asked for has waited so long that somebody needs to look at it: decide that the pupil "
        "is withdrawn, take the request back, or go on looking for the pupil."
    ),
    "mail.CONTACT.subject": "News in the contact with another member, case file {reference}",
    "mail.CONTACT.text": "There is something new in the contact with another member in case file {reference}.",
    "mail.second": "You get this because nobody has looked at it since {hour}.",
    "mail.link": "Open: {link}",
    "mail.foot": "For privacy nothing about the pupil stands here. Do not answer this message. Upprop, {member}",
}
