"""What stands on every page, and what is said where there is none."""

from __future__ import annotations

SWEDISH = {
    "site.name": "Upprop",
    "site.skip": "Till innehållet",
    "site.language": "In English",
    "site.nav": "Meny",
    "site.development": "Utvecklingsinloggning: ingen har kontrollerat vem du är. Aldrig med riktiga elever.",
    "site.no-units": "Du ser inga elever här, eftersom inloggningen inte säger vilka skolenheter du är rektor för. Be "
    "den som är administratör i din kommun att ange dem i kommunens inloggning, och logga sedan in på nytt.",
    "site.logout": "Logga ut",
    "error.400.title": "Det gick inte att läsa",
    "error.400.text": "Sidan fick något som den inte förstår. Gå tillbaka och försök igen.",
    "error.403.title": "Du har inte tillgång till sidan",
    "error.403.text": "Din roll omfattar inte den här sidan. Tala med den som är administratör i din kommun.",
    "error.404.title": "Sidan finns inte",
    "error.404.text": "Adressen leder ingenstans, eller till något som du inte har tillgång till.",
    "error.409.title": "Formuläret är för gammalt",
    "error.409.text": "Formuläret hör till en annan inloggning. Gå tillbaka, ladda om sidan och skicka det igen.",
    "error.410.title": "Uppgifterna är gallrade",
    "error.410.text": "Ärendets uppgifter är gallrade. Inget kan skrivas i det eller lämnas ut ur det.",
    "error.429.title": "För många försök",
    "error.429.text": "Vänta en stund och försök igen.",
    "error.500.title": "Något gick fel",
    "error.500.text": "Felet är antecknat i loggen. Försök igen om en stund.",
}
ENGLISH = {
    "site.name": "Upprop",
    "site.skip": "To the content",
    "site.language": "På svenska",
    "site.nav": "Menu",
    "site.development": "Development login: nobody has checked who you are. Never use it with real pupils.",
    "site.no-units": "You see no pupils here, because your login does not say which school units you are the principal "
    "of. Ask the administrator of your municipality to state them in the municipality's login, and then log in again.",
    "site.logout": "Log out",
    "error.400.title": "That could not be read",
    "error.400.text": "The page was sent something it does not understand. Go back and try again.",
    "error.403.title": "You have no access to this page",
    "error.403.text": "Your role does not include this page. Speak with the administrator of your municipality.",
    "error.404.title": "There is no such page",
    "error.404.text": "The address leads nowhere, or to something that you have no access to.",
    "error.409.title": "The form is too old",
    "error.409.text": "The form belongs to another login. Go back, reload the page and send it again.",
    "error.410.title": "The data is gone",
    "error.410.text": "What this case file held has been erased. Nothing can be written in it or handed out of it.",
    "error.429.title": "Too many attempts",
    "error.429.text": "Wait a while and try again.",
    "error.500.title": "Something went wrong",
    "error.500.text": "The error stands in the log. Try again in a while.",
}
