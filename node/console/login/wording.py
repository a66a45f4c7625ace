"""What the login says."""

from __future__ import annotations

SWEDISH = {
    "login.title": "Logga in",
    "login.name": "Ditt namn",
    "login.roles": "Roller",
    "login.units": "Skolenheter",
    "login.units.text": "Bara för en rektor. En rektor utan skolenhet ser inga elever.",
    "login.units.others": "Andra skolenheter, med skolsystemets id och blanksteg emellan",
    "login.button": "Logga in",
    "login.incomplete": "Skriv ditt namn och välj minst en roll.",
    "login.development": "Här kan vem som helst logga in som vem som helst. Det är till för prov med påhittade elever.",
    "login.text": "Du loggar in med ditt vanliga konto i kommunen.",
    "login.left": "Du är utloggad",
    "login.left.text": "Stäng webbläsaren om du delar datorn med andra.",
    "login.leave-there": "Logga ut även ur kommunens inloggning",
    "login.refused.roles.title": "Du har ingen roll här",
    "login.refused.roles.text": "Ditt konto ingår inte i någon av de grupper som får arbeta här. Tala med den som är "
    "administratör i din kommun.",
    "login.refused.denied.title": "Inloggningen avbröts",
    "login.refused.denied.text": "Kommunens inloggning släppte inte in dig, eller så avbröt du. Försök igen.",
    "login.refused.unreachable.title": "Inloggningen går inte att nå",
    "login.refused.unreachable.text": "Kommunens inloggning svarar inte. Vänta en stund och försök igen.",
    "login.refused.other.title": "Inloggningen gick inte att slutföra",
    "login.refused.other.text": "Den tog för lång tid eller svarade fel. Börja om. Händer det igen: tala med den "
    "som är administratör i din kommun.",
    "role.caseworker": "Handläggare",
    "role.protected-identity": "Handläggare av skyddade uppgifter",
    "role.principal": "Rektor",
    "role.administrator": "Administratör",
    "role.auditor": "Granskare",
}
ENGLISH = {
    "login.title": "Log in",
    "login.name": "Your name",
    "login.roles": "Roles",
    "login.units": "School units",
    "login.units.text": "For a principal alone. A principal without a school unit sees no pupils.",
    "login.units.others": "Other school units, by the school system's ids with blanks between them",
    "login.button": "Log in",
    "login.incomplete": "Write your name and choose at least one role.",
    "login.development": "Here anybody can log in as anybody. It is for trials with invented pupils.",
    "login.text": "You log in with your usual account at the municipality.",
    "login.left": "You are logged out",
    "login.left.text": "Close the browser if you share the computer with others.",
    "login.leave-there": "Log out of the municipality's login too",
    "login.refused.roles.title": "You have no role here",
    "login.refused.roles.text": "Your account is in none of the groups that may work here. Speak with the "
    "administrator of your municipality.",
    "login.refused.denied.title": "The login was broken off",
    "login.refused.denied.text": "The municipality's login did not let you in, or you broke off. Try again.",
    "login.refused.unreachable.title": "The login cannot be reached",
    "login.refused.unreachable.text": "The municipality's login does not answer. Wait a while and try again.",
    "login.refused.other.title": "The login could not be completed",
    "login.refused.other.text": "It took too long or answered wrongly. Begin again. If it happens again, speak with "
    "the administrator of your municipality.",
    "role.caseworker": "Caseworker",
    "role.protected-identity": "Handler of protected identities",
    "role.principal": "Principal",
    "role.administrator": "Administrator",
    "role.auditor": "Auditor",
}
