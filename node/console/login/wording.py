"""What the login says."""

from __future__ import annotations

SWEDISH = {
    "login.title": "Logga in",
    "login.name": "Ditt namn",
    "login.roles": "Roller",
    "login.button": "Logga in",
    "login.incomplete": "Skriv ditt namn och välj minst en roll.",
    "login.development": "Här kan vem som helst logga in som vem som helst. Det är till för prov med påhittade elever.",
    "login.left": "Du är utloggad.",
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
    "login.button": "Log in",
    "login.incomplete": "Write your name and choose at least one role.",
    "login.development": "Here anybody can log in as anybody. It is for trials with invented pupils.",
    "login.left": "You are logged out.",
    "role.caseworker": "Caseworker",
    "role.protected-identity": "Handler of protected identities",
    "role.principal": "Principal",
    "role.administrator": "Administrator",
    "role.auditor": "Auditor",
}
