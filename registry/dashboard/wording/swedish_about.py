"""The guarantee and the accessibility statement in Swedish."""

from __future__ import annotations

_ABOUT = {
    "about.title": "Om statistiken",
    "about.lead": "Statistiken visar hur många barn som saknas i skolan, var och hur länge. Den är gjord så att ingen, "
    "med vilka andra kunskaper som helst, kan räkna fram ett enskilt barn.",
    "about.counts": "Vad som räknas",
    "about.counts_1": "Ett ärende öppnas när ett barn har lämnat en skola, eller står utan skolplats, och ingen annan "
    "skola i landet inom väntetiden har sagt att barnet går där. Det kallas en saknad skolplacering.",
    "about.counts_2": "Talen är barn med ett nytt ärende. Ett barn räknas en gång per år, i den kommun som först ledde "
    "ärendet och i den månad då det öppnades, även om barnet får flera ärenden under året.",
    "about.counts_3": "Ett ärende betyder inte att något har hänt barnet. De flesta får sin förklaring: barnet har "
    "flyttat eller börjat i en annan skola.",
    "about.guarantee": "Garantin i klartext",
    "about.guarantee_1": "Till varje tal läggs ett slumpmässigt brus innan det publiceras. Bruset är så stort att "
    "talen skulle se nästan likadana ut om ett barn vilket som helst inte fanns med.",
    "about.guarantee_2": "Det går att säga exakt hur mycket: den som ska gissa om ett visst barn finns med i ett års "
    "siffror, och utan dem gissar rätt 50 gånger av 100, gissar med alla årets tabeller rätt högst {guess} gånger av "
    "100. Det gäller vad gissaren än vet och hur starka datorer som än används.",
    "about.guarantee_3": "Fackordet är nollkoncentrerad differentiell integritet (zCDP), med ρ = {rho} per årgång. "
    "Det motsvarar ε ≈ {epsilon} vid δ = 0,000001.",
    "about.guarantee_4": "Bruset dras en gång, med operativsystemets säkra slumptal, och ändras aldrig. Att fråga om "
    "igen ger samma svar, så bruset kan inte räknas bort.",
    "about.public": "Varför vissa tal saknas",
    "about.public_1": "De siffror som alla ser har ytterligare brus. Är talet med brus under 10 visas två punkter "
    "(..) i stället. Det avgörs av talet med brus, aldrig av det verkliga: två punkter säger därför inget säkert om "
    "något barn.",
    "about.public_2": "Har ingen i en kommun rapporterat visas ett kolon (:). Det är tystnad, inte noll.",
    "about.interval": "Så läser du intervallet",
    "about.interval_1": "Intervallet bredvid ett tal rymmer det rätta antalet i minst 95 fall av 100. Det beskriver "
    "bruset. Det säger inget om barn som kommunerna inte har rapporterat.",
    "about.interval_2": "Börjar intervallet på 0 kan det vara inget barn alls. Jämför inte sådana tal med varandra, "
    "och rangordna inte kommuner vilkas intervall går in i varandra.",
    "about.sums": "Varför summor kan skilja sig",
    "about.sums_1": "Inom en publicering går kommuner, län och riket ihop. Månader och år dras var för sig: summan av "
    "tolv månader är inte exakt årets tal.",
    "about.not": "Vad garantin inte täcker",
    "about.not_1": "Ett barn som får ärenden flera år finns med i flera årgångar. Då läggs årgångarnas ρ ihop.",
    "about.not_2": "Slutsatser om grupper. Statistiken är till för att visa att något är vanligare i ett län än i ett "
    "annat, och sådant går att dra slutsatser av även om den som bor där.",
    "about.not_3": "Den som redan vet att ett visst barn har ett ärende. Statistiken lägger inget till, men tar inget "
    "ifrån.",
    "about.not_4": "Handläggningen i kommunerna och i registret. De skyddas på andra sätt än genom brus.",
    "about.not_5": "Vilka kommuner som var tysta. Det redovisas öppet.",
    "about.not_6": "Fel i det som har rapporterats. Ett ärende kan bero på en felaktig uppgift i ett skolregister.",
    "about.not_7": "Syskon som försvinner tillsammans, och ett barn som två kommuner känner under olika nummer. Var "
    "och en av dem skyddas, men gruppen, eller barnet som räknas två gånger, svagare än talen ovan säger.",
    "about.use": "Använd siffrorna i egna program",
    "about.use_1": "Alla tabeller finns i ett öppet programgränssnitt av samma slag som Statistiska centralbyråns "
    "(PxWebApi 2), i formaten JSON-stat, CSV och Excel.",
    "about.use_link": "Programgränssnittets inställningar och gränser",
    "about.use_tables": "Tabellerna i programgränssnittet",
    "about.use_2": "Ange källan Upprop och publiceringens beteckning, så att andra kan finna samma tal.",
}

_ACCESSIBILITY = {
    "accessibility.title": "Tillgänglighet",
    "accessibility.lead": "Webbplatsen ska gå att använda för alla, hur du än läser och styr din skärm.",
    "accessibility.goal": "Hur väl den gör det",
    "accessibility.goal_1": "Målet är nivå AA i WCAG 2.1, som lagen om tillgänglighet till digital offentlig service "
    "(2018:1937) kräver. Varje sida prövas mot det i en riktig webbläsare innan en ny version tas i bruk. Vi känner "
    "inte till någon brist.",
    "accessibility.how": "Hur du kan använda den",
    "accessibility.how_1": "Allt går att nå med tangentbordet. Den första tabbningen på varje sida leder till "
    "innehållet.",
    "accessibility.how_2": "Kartan och diagrammen har alla sina värden i en tabell på samma sida.",
    "accessibility.how_3": "Inget framgår av färg allena: det som inte är ett tal har mönster på kartan och tecken i "
    "tabellen.",
    "accessibility.how_4": "Sidorna följer enhetens ljusa eller mörka läge, går att förstora till 400 procent och att "
    "skriva ut.",
    "accessibility.how_5": "Sidorna fungerar utan JavaScript. Det enda som faller bort är avläsningen när du pekar på "
    "kartan.",
    "accessibility.contact": "Om något inte fungerar",
    "accessibility.contact_1": "Hör av dig till den myndighet som driver webbplatsen. Svaret hjälper dig inte? Anmäl "
    "det till Myndigheten för digital förvaltning (Digg), som har tillsyn.",
}

AREAS = (_ABOUT, _ACCESSIBILITY)
