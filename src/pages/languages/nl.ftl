# Nederlands. NOT YET REVIEWED BY A NATIVE SPEAKER.
# Form of address: je, never u. Same keys and variables as en.ftl; what the keys are for is said there.

sms-code = { $code } is je inlogcode voor { $site }. Deel deze code met niemand.
sms-test = Dit is een testbericht van { $site }.
sms-number-set = { $site }: sinds { $time } gaan inlogcodes naar een nummer dat eindigt op { $ending }. Was jij dat niet? Vraag daar meteen hulp.
sms-number-cleared = { $site }: op { $time } is dit nummer van je account gehaald. Was jij dat niet? Vraag daar meteen hulp.
sms-two-factor-reset = { $site }: je inloggen is op { $time } opnieuw ingesteld. Niet door jou gevraagd? Vraag daar meteen hulp.
sms-password-given = { $site }: op { $time } is een eenmalig wachtwoord voor je gemaakt. Niet door jou gevraagd? Vraag daar meteen hulp.

# Mails about changes
mail-number-set-subject = { $site }: inlogcodes gaan naar een nummer dat eindigt op { $ending }
mail-number-set = Sinds { $time } gaan de codes waarmee je inlogt bij { $site } naar het telefoonnummer dat eindigt op { $ending }.
mail-number-cleared-subject = { $site }: je telefoonnummer is van je account gehaald
mail-number-cleared = Op { $time } is het telefoonnummer van je account bij { $site } gehaald.
mail-two-factor-reset-subject = { $site }: je inloggen is opnieuw ingesteld
mail-two-factor-reset = Op { $time } heeft een beheerder van { $site } je inloggen in twee stappen opnieuw ingesteld. Je bent overal afgemeld; je telefoonnummer blijft hetzelfde.
mail-password-given-subject = { $site }: er is een eenmalig wachtwoord voor je gemaakt
mail-password-given = Op { $time } heeft een beheerder van { $site } een eenmalig wachtwoord voor je gemaakt, in plaats van het wachtwoord dat je had. Je kiest een ander wanneer je ermee inlogt.
mail-account = Dit gaat over het account { $user }.
mail-known = Heb je dit zelf gedaan of erom gevraagd, dan hoef je niets te doen.
mail-help = Zo niet, dan gebruikt misschien iemand anders je account. Vraag meteen hulp aan de mensen van { $site }.
mail-help-support = Zo niet, dan gebruikt misschien iemand anders je account. Vraag meteen hulp: { $support }
mail-closing = Dit bericht is automatisch verstuurd. Niemand zal je ooit om je wachtwoord of een code vragen.

title-error = Fout: { $title }
problem-heading = Er gaat iets niet goed
languages = Taal
support = Hulp: { $contact }
support-link = Hulp nodig?
reference = Referentie: { $id }
duration-seconds =
    { $count ->
        [one] 1 seconde
       *[other] { $count } seconden
    }
duration-minutes =
    { $count ->
        [one] 1 minuut
       *[other] { $count } minuten
    }
duration-hours =
    { $count ->
        [one] 1 uur
       *[other] { $count } uur
    }
sign-in-again = Opnieuw inloggen
go-on = Verder
try-again = Opnieuw proberen

login-title = Inloggen
login-user-name = Gebruikersnaam
login-password = Wachtwoord
login-show = Toon
login-show-password = Wachtwoord tonen
login-hide = Verberg
login-hide-password = Wachtwoord verbergen
login-button = Inloggen
login-password-help = Wachtwoord vergeten?
login-not-you = Ben jij dit niet? Log uit
login-not-correct = De gebruikersnaam of het wachtwoord klopt niet, of inloggen staat even stil na te veel pogingen. Kijk beide na, probeer het later opnieuw of vraag hulp.
login-user-name-missing = Vul je gebruikersnaam in
login-password-missing = Vul je wachtwoord in
login-form-expired = Deze pagina was niet meer actueel, dus er is niets verstuurd. Vul je wachtwoord opnieuw in.
login-cookie-missing = Deze pagina was niet meer actueel, of je browser stuurde onze cookie niet terug, dus er is niets verstuurd. Vul je wachtwoord opnieuw in.
login-session-ended = Je sessie is afgelopen. Log in om verder te gaan.
login-two-factor-needed = Voor het inloggen is voortaan ook een code per sms nodig. Vul je wachtwoord nog een keer in om verder te gaan.
login-announcement = Vanaf { $day } is voor het inloggen hier ook een code per sms nodig.
day-in-words = { $day } { $month ->
     [1] januari
     [2] februari
     [3] maart
     [4] april
     [5] mei
     [6] juni
     [7] juli
     [8] augustus
     [9] september
     [10] oktober
     [11] november
    *[12] december
    } { $year }

phone-title = Voeg je mobiele nummer toe
phone-why = Voor het inloggen is voortaan ook een code per sms nodig. Vertel ons waar we die naartoe sturen; de eerste code komt meteen.
phone-label = Mobiel nummer
phone-hint = Met landcode, bijvoorbeeld { $example }
phone-countries = Landcodes waar we naartoe kunnen sturen: { $codes }
phone-use = We gebruiken het nummer voor het inloggen en voor niets anders.
phone-button = Stuur me een code
phone-form-expired = Deze pagina was niet meer actueel, dus er is niets verstuurd. Vul je nummer opnieuw in.
phone-missing = Vul je mobiele nummer in
phone-not-a-number = Vul het hele nummer in, met landcode
phone-not-mobile = Vul een mobiel nummer in; dit nummer kan geen sms ontvangen
phone-country-not-allowed = Naar dit land kunnen we geen sms sturen. Vul een nummer uit een ander land in of vraag hulp
phone-asked-too-often = Er zijn te veel sms-berichten naar dit nummer gestuurd. Wacht { $time } en probeer het opnieuw
ticket-label = Ticket
ticket-hint = Twintig letters en cijfers die je hiervoor gekregen hebt, los van je wachtwoord
ticket-missing = Vul het ticket in dat je hiervoor gekregen hebt
ticket-not-right = Dit ticket klopt niet. Controleer het teken voor teken of vraag een nieuw ticket

code-title = Kijk op je telefoon
code-get-title = Vraag een code
code-sent-to-ending = We hebben een code gestuurd naar je nummer dat eindigt op { $ending }.
code-sent-to-number = We hebben een code gestuurd naar { $number }.
code-goes-to-ending = De code gaat naar je nummer dat eindigt op { $ending }.
code-goes-to-number = De code gaat naar { $number }.
code-lifetime =
    { $minutes ->
        [one] Het kan even duren voor de code er is; je kunt hem één minuut gebruiken.
       *[other] Het kan even duren voor de code er is; je kunt hem { $minutes } minuten gebruiken.
    }
code-label = Code van { $length } cijfers
code-button = Verder
code-different-number = Een ander nummer gebruiken
code-problems = Geen code gekregen?
code-resend = Stuur de code opnieuw
code-resend-fresh = Stuur een nieuwe code
code-wait = Je kunt over { $time } opnieuw een code vragen.
code-can-ask-now = Je kunt nu opnieuw een code vragen.
code-sends-left =
    { $left ->
        [0] Voor deze keer inloggen kunnen we geen sms meer sturen.
        [one] We kunnen hem nog één keer sturen.
       *[other] We kunnen hem nog { $left } keer sturen.
    }
code-no-phone = Is dit niet meer je nummer of heb je je telefoon niet bij je? Vraag hulp: { $contact }
code-no-phone-nobody = Is dit niet meer je nummer of heb je je telefoon niet bij je? Vraag het aan wie je je account gaf.
code-form-expired = Deze pagina was niet meer actueel, dus er is niets verstuurd. Vul de code opnieuw in.
code-sent-again = We hebben de code opnieuw gestuurd.
code-maybe-sent = Het sms-bericht is misschien onderweg, maar we weten het niet zeker. Komt er binnen een minuut niets, vraag de code dan opnieuw.
code-not-sent = We konden je geen sms sturen. Wacht een minuut en probeer het opnieuw, of vraag hulp.
code-number-refused = Naar dit nummer kan geen sms worden gestuurd. Vraag hulp.
code-number-refused-enrolling = Naar dit nummer kan geen sms worden gestuurd. Gebruik een ander nummer.
code-asked-too-early = Het is te vroeg voor nog een sms. Je kunt het over { $time } opnieuw vragen.
code-asked-too-often = Er zijn te veel sms-berichten gestuurd. Je kunt het over { $time } opnieuw vragen.
code-none-left = Voor deze keer inloggen kunnen we geen sms meer sturen. Gebruik de code die je hebt of begin opnieuw.
code-missing = Vul de code uit de sms in
code-not-digits = De code bestaat uit { $length } cijfers en niets anders
code-wrong = Deze code klopt niet. Kijk in de nieuwste sms en probeer het opnieuw.
code-attempts-left =
    { $left ->
        [one] Dit is de laatste poging.
       *[other] Je hebt nog { $left } pogingen.
    }
code-expired = Deze code is verlopen. Vraag een nieuwe.
code-expired-lead = De code die we stuurden werkt niet meer. Een nieuwe is er zo; je wachtwoord is niet opnieuw nodig.

new-password-title = Kies je eigen wachtwoord
new-password-why = Het wachtwoord dat je kreeg werkt alleen voor deze keer. Kies nu je eigen wachtwoord.
new-password-label = Nieuw wachtwoord
new-password-hint = Minstens { $length } tekens. Een paar woorden achter elkaar is goed en makkelijk te onthouden.
new-password-again = Nieuw wachtwoord, nog een keer
new-password-button = Opslaan en verdergaan
new-password-form-expired = Deze pagina was niet meer actueel, dus er is niets opgeslagen. Kies je wachtwoord opnieuw.
new-password-missing = Vul een nieuw wachtwoord in
new-password-differs = De twee wachtwoorden zijn niet gelijk
new-password-too-short = Gebruik minstens { $length } tekens
new-password-too-long = Dit is te lang; gebruik hoogstens 256 tekens
new-password-common = Dit is een van de wachtwoorden die het eerst geprobeerd worden. Kies een ander
new-password-named = Kies een wachtwoord zonder je naam of de naam van deze site
new-password-guessable = Dit is makkelijk te raden: een rij toetsen, een herhaling, een datum of een veelgebruikt woord. Voeg andere woorden toe
new-password-same = Dit is het wachtwoord dat je kreeg. Kies een ander

step-up-title = Voortaan met een code
step-up-lead = Voor het inloggen bij { $site } is voortaan ook een code per sms nodig. We sturen die naar het telefoonnummer bij je account.
step-up-button = Stuur me een code

logout-title = Uitloggen?
logout-lead = Je bent ingelogd als { $user }.
logout-button = Uitloggen
logout-stay = Ingelogd blijven
signed-out-title = Je bent uitgelogd
signed-out-lead = Gebruiken anderen dit toestel ook? Sluit dan ook de browser.

account-title = Je account
account-number-title = Telefoonnummer
account-number-none = Er staat geen mobiel nummer op je account.
account-number-ending = Codes gaan naar je nummer dat eindigt op { $ending }.
account-sessions-title = Waar je bent ingelogd
account-sessions-hint = Browser en systeem heten zoals ze zichzelf noemen. Een sessie die niet gebruikt wordt eindigt vanzelf en blijft nog enkele uren in deze lijst staan.
account-this-session = deze
account-device = { $browser } op { $system }
account-device-system = Onbekende browser op { $system }
account-device-unknown = Onbekende browser
account-opened = Begonnen
account-source = Vanaf { $source }
account-end = Deze sessie beëindigen
account-end-which = De sessie van { $device } beëindigen, begonnen { $time }
account-end-others = Alle andere sessies beëindigen
account-back = Naar de toepassing
account-session-ended = Die sessie is beëindigd.
account-no-such-session = Die sessie is er niet meer.
account-others-ended = Alle andere sessies zijn beëindigd.
account-form-expired = Deze pagina was niet meer actueel, dus er is niets gedaan. Probeer het opnieuw.
account-password-title = Je wachtwoord wijzigen
account-password-why = Hier blijf je ingelogd. Overal elders word je uitgelogd.
account-password-present = Huidig wachtwoord
account-password-button = Wachtwoord wijzigen
account-password-not-correct = Het huidige wachtwoord klopt niet, of er wordt even niet naar gekeken na te veel pogingen. Kijk het na, probeer het later opnieuw of vraag hulp.
account-password-same = Dit is al je wachtwoord. Kies een ander
account-password-changed = Je wachtwoord is gewijzigd. Alle andere sessies zijn beëindigd.
number-first-title = Je telefoonnummer registreren
number-first-hint = Binnenkort heb je voor het inloggen ook een code per sms nodig. Registreer je nummer nu, dan ben je er klaar voor.
number-first-why = Voor je veiligheid vragen we eerst je wachtwoord. Daarna geef je je nummer, en daar sturen we een code naartoe.
number-first-button = Verder
number-title = Je telefoonnummer wijzigen
number-why = Voor je veiligheid vragen we eerst je wachtwoord en sturen we een code naar je huidige nummer, en daarna een naar het nieuwe.
number-old-title = Een code op je huidige nummer
number-new-title = Een code op je nieuwe nummer
number-new-why = Je huidige nummer is bevestigd. Welk nummer komt ervoor in de plaats? Er gaat meteen een code naartoe.
number-same = Dit is al je nummer. Vul een ander in
number-changed = Je nummer is gewijzigd. Alle andere sessies zijn beëindigd.
number-not-changed = Je nummer is niet gewijzigd: het duurde te lang, er waren te veel pogingen of het werd in een ander tabblad begonnen. Je kunt opnieuw beginnen.
number-taken = Je nummer is niet gewijzigd: het nieuwe staat al bij een ander account.
number-by-operator = Alleen wie je je account gaf kan het wijzigen.
number-cancel = Het nummer niet wijzigen

no-number-title = Nog geen telefoonnummer
no-number-lead = Voor het inloggen is een code per sms nodig, en bij je account staat geen mobiel nummer.
no-number-closed = Voor het inloggen is een code per sms nodig. De tijd waarin je zelf je nummer kon toevoegen, is voorbij.
no-number-operator = Een operator logt in met een code per sms, en bij dit account staat geen mobiel nummer. Het wordt op de opdrachtregel ingesteld: vestibule user set-phone.
no-number-ask = Vraag om je nummer toe te voegen: { $contact }
no-number-ask-nobody = Vraag aan wie je je account gaf om je nummer toe te voegen.
over-title = Begin opnieuw
over-attempts = De code klopte te vaak niet. Dit inloggen is daarom gesloten.
over-gone = Dit inloggen kan niet meer worden gebruikt. Misschien duurde het te lang, is het in een ander tabblad afgemaakt, of is er iets aan je account veranderd.
over-number-taken = Dit nummer staat al bij een ander account en kan daarom niet aan het jouwe worden toegevoegd. Log opnieuw in en geef een ander nummer op.
codes-paused-title = Codes staan even stil
codes-paused-lead = Er zijn te veel foute codes ingevuld. Voor je veiligheid nemen we nu geen codes aan.
codes-paused-wait = Je kunt over { $time } opnieuw inloggen.
codes-paused-ask = Vraag om ze weer aan te nemen: { $contact }
codes-paused-ask-nobody = Vraag aan wie je je account gaf om ze weer aan te nemen.
too-many-title = Te veel pogingen
too-many-lead = Vanaf jouw netwerk is inloggen te vaak mislukt. Je kunt het over { $time } opnieuw proberen.
waiting-title = Een ogenblik
waiting-lead = Veel mensen loggen nu tegelijk in. Probeer het over { $time } opnieuw.
circle-title = Inloggen houdt geen stand
circle-no-cookies = Je browser stuurt onze cookie niet terug. Zonder die cookie weten we niet dat jij het bent.
circle-no-cookies-advice = Sta cookies toe voor deze site. Privévensters, strenge instellingen en sommige extensies houden ze tegen. Probeer het dan opnieuw.
circle-http = Deze pagina is via http geopend. Inloggen gaat alleen via https.
circle-http-advice = Open het adres opnieuw met https:// ervoor.
circle-not-kept = Je bent ingelogd, maar je browser stuurt de cookie van je sessie niet terug.
circle-not-kept-advice = Verwijder de cookies van deze site, sluit de andere vensters ervan en probeer het opnieuw.
circle-doubled = Je browser stuurt de cookie van je sessie twee keer, dus we weten niet welke de goede is.
circle-doubled-advice = Verwijder de cookies van deze site en probeer het opnieuw.
circle-not-known = Je bent ingelogd, maar de server met je pagina kent je sessie niet.
circle-not-known-advice = Dit ligt niet aan jou. Opnieuw proberen helpt hooguit even.
circle-clock = Je bent ingelogd, maar voor een van onze servers ligt je sessie in een andere tijd: een klok loopt verkeerd.
circle-clock-advice = Dit ligt niet aan jou. Opnieuw proberen helpt hooguit even.
circle-ended = Je bent ingelogd, maar je sessie wordt meteen weer beëindigd.
circle-ended-advice = Dit ligt niet aan jou. Opnieuw proberen helpt hooguit even.
circle-application = Je bent ingelogd, maar de pagina die je wilt openen stuurt je terug naar het inloggen.
circle-application-advice = Dit ligt niet aan jou. Andere pagina’s werken misschien wel.
circle-https = Je kwam via https, maar onze server krijgt te horen van niet, en stuurt je er steeds weer heen.
circle-https-advice = Dit ligt niet aan jou, en je kunt er niets aan veranderen.
circle-ask = Gebeurt het nog eens? Geef dan de referentie hieronder door aan: { $contact }
circle-ask-nobody = Gebeurt het nog eens? Geef dan de referentie hieronder door aan wie je je account gaf.
not-sent-title = Niet verstuurd
not-sent-lead = Je sessie was afgelopen, dus wat je stuurde is niet doorgegeven.
not-sent-advice = Ga terug: je tekst staat er meestal nog. Kopieer die, log in en verstuur alles opnieuw. Een bestand moet je opnieuw kiezen.
in-frame-lead = Log in om te zien wat hier hoort.
interrupted-title = Je sessie is afgelopen
interrupted-lead = Dat gebeurde terwijl wat je stuurde onderweg was. We weten niet of het is bewaard.
interrupted-advice = Log in en kijk of het er is voordat je het opnieuw stuurt.

bad-request-title = Deze aanvraag is niet begrepen
bad-request-lead = Er klopt iets niet in het adres of in wat er is gestuurd.
bad-request-advice = Ga terug en probeer het opnieuw. Gebeurt het weer? Vraag dan hulp en geef de referentie hieronder door.
form-refused-title = Open de pagina opnieuw
form-refused-lead = Wat je stuurde kwam niet van een pagina van deze site. Voor je veiligheid is het niet aangenomen.
form-refused-advice = Open de inlogpagina en probeer het opnieuw.
denied-title = Niet beschikbaar
denied-lead = Dit adres kan van hieruit niet worden geopend.
denied-advice = Denk je dat dit wel zou moeten? Vraag dan hulp en geef de referentie hieronder door.
not-found-title = Pagina niet gevonden
not-found-lead = Op dit adres is niets te vinden.
not-found-advice = Kijk het adres na of ga naar de startpagina.
method-title = Dit kan hier niet
method-lead = Het adres bestaat, maar niet voor dit soort aanvraag.
method-advice = Ga terug en probeer het opnieuw vanaf de pagina waar je vandaan kwam.
too-large-title = Te groot
too-large-lead = Wat je stuurde is groter dan deze pagina aanneemt.
too-large-advice = Stuur minder of vraag hulp.
uri-too-long-title = Het adres is te lang
uri-too-long-lead = Dit adres is langer dan wat hier wordt aangenomen.
uri-too-long-advice = Open de startpagina en ga van daaruit verder.
misdirected-title = Onder deze naam is hier niets
misdirected-lead = Deze server antwoordt niet voor de naam in het adres.
misdirected-advice = Kijk het adres na. Klopt het? Vraag dan hulp en geef de referentie hieronder door.
busy-title = Te veel aanvragen
busy-lead = Er kwamen meer aanvragen van je netwerk dan we kunnen beantwoorden.
busy-advice = Wacht even en probeer het opnieuw.
headers-title = Te veel in de aanvraag
headers-lead = Je browser stuurde meer cookies of andere gegevens dan hier wordt aangenomen.
headers-advice = Verwijder de cookies van deze site en probeer het opnieuw.
internal-title = Er ging iets mis
internal-lead = Dit is onze fout, niet die van jou.
internal-advice = Probeer het over een minuut opnieuw. Gebeurt het weer? Vraag dan hulp en geef de referentie hieronder door.
bad-gateway-title = De toepassing antwoordt niet
bad-gateway-lead = Je bent op de juiste plek, maar de toepassing achter deze pagina was niet te bereiken.
bad-gateway-advice = Probeer het over een minuut opnieuw.
sign-in-unavailable-title = Inloggen lukt nu niet
sign-in-unavailable-lead = Een onderdeel dat we voor het inloggen nodig hebben, antwoordt niet. Met je account is niets mis.
sign-in-unavailable-advice = Probeer het over een minuut opnieuw.
unavailable-title = Nu niet beschikbaar
unavailable-lead = De toepassing kan je aanvraag op dit moment niet aannemen.
unavailable-advice = Probeer het over een minuut opnieuw.
gateway-timeout-title = De toepassing doet er te lang over
gateway-timeout-lead = De toepassing achter deze pagina antwoordde niet op tijd.
gateway-timeout-advice = Probeer het over een minuut opnieuw. Kijk eerst of je formulier al bewaard is voor je het nog eens stuurt.
start-page = Naar de startpagina
open-sign-in = Open de inlogpagina
