"""English: the doctor. What to do stands on a line of its own."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from federation.doctor.english import DOCTOR as OF_EVERY_ROLE
from federation.doctor.printing import SUMMARY
from node.doctor.texts import DoctorText

DOCTOR: Mapping[enum.Enum, str] = {
    **OF_EVERY_ROLE,
    **SUMMARY,
    DoctorText.NOTHING_WAITS: "Nothing waits to be sent.",
    DoctorText.WAITS: "{waiting:signal waits|signals wait} to be sent, none for longer than a day.",
    DoctorText.WAITS_LONG: (
        "{waiting:signal waits|signals wait} to be sent, the oldest since {oldest}.\nRun upprop node sync: it says "
        "what keeps them. See the lines on registries, evaluators and quota above."
    ),
    DoctorText.PARKED: (
        "{parked:signal was|signals were} not taken by the registry.\nupprop node cases lists them with the reason."
    ),
    DoctorText.ERASURES_WAIT: "{erasures:erasure waits|erasures wait} for the registry, none for longer than a day.",
    DoctorText.ERASURES_WAIT_LONG: (
        "{erasures:erasure waits|erasures wait} for the registry, the oldest since {oldest}: the person's data are "
        "still here.\nRun upprop node sync: it says what keeps them."
    ),
    DoctorText.ERASURES_NOT_TAKEN: (
        "{erasures:erasure is|erasures are} held up: the registry did not take the retraction ({codes}), and the "
        "person's data are still here.\nAsk the registry's operator by the code, then upprop node subject erase once "
        "more for the same person: it is sent anew. upprop node subject log shows which."
    ),
    DoctorText.NOBODY_ON_DUTY: (
        "Nobody is on duty today for: {roles}. Mails wait until somebody is.\nThe administrator sets duty on the "
        "console's page Duty."
    ),
    DoctorText.MAILS_WAIT: (
        "Mails to whoever is on duty have waited since {since}.\nLook into the mail server that [mail] names, and into "
        "the log for mail_not_sent."
    ),
    DoctorText.MAILS_GO_OUT: "Somebody is on duty, and no mail waits.",
    DoctorText.CONSOLE_DEVELOPMENT: (
        "The console lets anybody in as anybody.\nThat is for trials with invented pupils. Set up openid in [console]."
    ),
    DoctorText.CONSOLE_LOGIN_ANSWERS: "The municipality's login {issuer} answers.",
    DoctorText.CONSOLE_LOGIN_SILENT: (
        "The municipality's login {issuer} does not answer as it should, and nobody can log in.\nCheck the address, "
        "the certificate (ca_file), and that this machine may reach it."
    ),
    DoctorText.CONSOLE_PRINCIPALS_BLIND: (
        "Principals see no pupils: the login does not say which school units they are principals of.\nSet units_claim "
        "in [console.openid]."
    ),
    DoctorText.CONSOLE_CERTIFICATE_LASTS: "The console's certificate is in force until {day}.",
    DoctorText.CONSOLE_CERTIFICATE_ENDS: (
        "The console's certificate is in force until {day}.\nPut a new one there; it is taken up without a restart."
    ),
    DoctorText.CONSOLE_CERTIFICATE_UNREAD: (
        "The console's certificate {path} cannot be read.\nPut a certificate chain (PEM) there that the service's user "
        "may read."
    ),
    DoctorText.JOURNAL_SOUND: "Every row of the journal ({rows}) is as it was written.",
    DoctorText.JOURNAL_TOUCHED: (
        "Somebody has changed the journal in the database ({flaws}): row {rows}.\nKeep the database and its copies as "
        "they are, and find out who. upprop node journal verify names the case files."
    ),
    DoctorText.JOURNAL_KNOWN: (
        "The journal was changed in the database ({flaws}), which somebody has acknowledged.\nDo not rely on what the "
        "case files name; upprop node journal verify says which."
    ),
    DoctorText.CASE_KEYS_LACK: (
        "{files:case file cannot|case files cannot} be opened: the key is not in the data directory (case-keys).\nPut "
        "the directory back, or stop the node and restore with upprop node restore --case-keys."
    ),
    DoctorText.FETCHED: "The registry was last asked, and answered, on {day}.",
    DoctorText.NEVER_FETCHED: (
        "The registry was never asked for notices.\nStart the node (upprop node serve), or run upprop node sync."
    ),
    DoctorText.FETCHED_LONG_AGO: (
        "The registry last answered on {day}; what it has to say about pupils since is not known here.\nSee that the "
        "node runs, and the lines on registries above; upprop node sync asks at once."
    ),
    DoctorText.NEVER_IMPORTED: "Nothing was imported yet.\nupprop node import EXPORT --as-of DATE",
    DoctorText.IMPORTED: "The newest export is of {day}.",
    DoctorText.IMPORTED_LONG_AGO: (
        "The newest export is of {day}; whoever left since is not noticed.\nSee why none has come since, and import "
        "it: upprop node import EXPORT --as-of DATE"
    ),
    DoctorText.QUOTA_LEFT: "{year} of {year_limit} left this year, {day} of {day_limit} today.",
    DoctorText.QUOTA_SHORT: (
        "Only {year} of {year_limit} left this year, {day} of {day_limit} today.\nPupils who come new wait when it is "
        "used up. Tell the evaluator's administrator why so many are needed, and ask for more."
    ),
    DoctorText.QUOTA_UNKNOWN: (
        "What is left is known to the evaluators alone, and none answered.\nSee the lines on evaluators above."
    ),
}
