# Deutsch. NOT YET REVIEWED BY A NATIVE SPEAKER.
# Form of address: Sie. Same keys and variables as en.ftl; what the keys are for is said there.

sms-code = { $code } ist Ihr Anmeldecode für { $site }. Geben Sie ihn nicht weiter.
sms-test = Dies ist eine Testnachricht von { $site }.
sms-number-set = { $site }: Anmeldecodes gehen seit { $time } an eine Nummer, die auf { $ending } endet. Nicht von Ihnen? Bitten Sie dort sofort um Hilfe.
sms-number-cleared = { $site }: Diese Nummer wurde am { $time } von Ihrem Konto entfernt. Nicht von Ihnen? Bitten Sie dort sofort um Hilfe.
sms-two-factor-reset = { $site }: Ihre Anmeldung wurde am { $time } zurückgesetzt. Nicht von Ihnen verlangt? Bitten Sie dort sofort um Hilfe.
sms-password-given = { $site }: Am { $time } wurde Ihnen ein Einmalpasswort gegeben. Nicht von Ihnen verlangt? Bitten Sie dort sofort um Hilfe.

# Mails about changes
mail-number-set-subject = { $site }: Anmeldecodes gehen an eine Nummer, die auf { $ending } endet
mail-number-set = Seit { $time } gehen die Codes, mit denen Sie sich bei { $site } anmelden, an die Telefonnummer, die auf { $ending } endet.
mail-number-cleared-subject = { $site }: Ihre Telefonnummer wurde von Ihrem Konto entfernt
mail-number-cleared = Am { $time } wurde die Telefonnummer von Ihrem Konto bei { $site } entfernt.
mail-two-factor-reset-subject = { $site }: Ihre Anmeldung wurde zurückgesetzt
mail-two-factor-reset = Am { $time } hat ein Administrator von { $site } Ihre Anmeldung in zwei Schritten zurückgesetzt. Sie sind überall abgemeldet; Ihre Telefonnummer bleibt dieselbe.
mail-password-given-subject = { $site }: Sie haben ein Einmalpasswort bekommen
mail-password-given = Am { $time } hat ein Administrator von { $site } Ihnen ein Einmalpasswort gegeben, anstelle Ihres bisherigen. Sie wählen ein anderes, wenn Sie sich damit anmelden.
mail-account = Es geht um das Konto { $user }.
mail-known = Wenn Sie das selbst waren oder verlangt haben, ist nichts zu tun.
mail-help = Wenn nicht, benutzt vielleicht jemand anders Ihr Konto. Bitten Sie sofort um Hilfe, bei den Leuten von { $site }.
mail-help-support = Wenn nicht, benutzt vielleicht jemand anders Ihr Konto. Bitten Sie sofort um Hilfe: { $support }
mail-closing = Diese Nachricht wurde automatisch gesendet. Niemand wird Sie je nach Ihrem Passwort oder einem Code fragen.

title-error = Fehler: { $title }
problem-heading = Es gibt ein Problem
languages = Sprache
support = Hilfe: { $contact }
support-link = Brauchen Sie Hilfe?
reference = Referenz: { $id }
duration-seconds =
    { $count ->
        [one] 1 Sekunde
       *[other] { $count } Sekunden
    }
duration-minutes =
    { $count ->
        [one] 1 Minute
       *[other] { $count } Minuten
    }
duration-hours =
    { $count ->
        [one] 1 Stunde
       *[other] { $count } Stunden
    }
sign-in-again = Neu anmelden
go-on = Weiter
try-again = Erneut versuchen

login-title = Anmelden
login-user-name = Benutzername
login-password = Passwort
login-show = Zeigen
login-show-password = Passwort zeigen
login-hide = Verbergen
login-hide-password = Passwort verbergen
login-button = Anmelden
login-password-help = Passwort vergessen?
login-not-you = Sind Sie das nicht? Abmelden
login-not-correct = Benutzername oder Passwort ist nicht korrekt, oder die Anmeldung ist nach zu vielen Versuchen unterbrochen. Prüfen Sie beides, versuchen Sie es später erneut oder bitten Sie um Hilfe.
login-user-name-missing = Geben Sie Ihren Benutzernamen ein
login-password-missing = Geben Sie Ihr Passwort ein
login-form-expired = Diese Seite war nicht mehr aktuell, deshalb wurde nichts gesendet. Bitte geben Sie Ihr Passwort erneut ein.
login-cookie-missing = Diese Seite war nicht mehr aktuell, oder Ihr Browser hat unser Cookie nicht zurückgeschickt, deshalb wurde nichts gesendet. Bitte geben Sie Ihr Passwort erneut ein.
login-session-ended = Ihre Sitzung ist beendet. Melden Sie sich an, um fortzufahren.
login-two-factor-needed = Zur Anmeldung gehört ab jetzt auch ein Code per SMS. Geben Sie Ihr Passwort noch einmal ein, um fortzufahren.
login-announcement = Ab dem { $day } gehört zur Anmeldung hier auch ein Code per SMS.
day-in-words = { $day }. { $month ->
     [1] Januar
     [2] Februar
     [3] März
     [4] April
     [5] Mai
     [6] Juni
     [7] Juli
     [8] August
     [9] September
     [10] Oktober
     [11] November
    *[12] Dezember
    } { $year }

phone-title = Mobilnummer hinzufügen
phone-why = Zur Anmeldung gehört ab jetzt auch ein Code per SMS. Sagen Sie uns, wohin wir ihn senden sollen; ein erster Code kommt sofort.
phone-label = Mobilnummer
phone-hint = Mit Ländervorwahl, zum Beispiel { $example }
phone-countries = Mögliche Ländervorwahlen: { $codes }
phone-use = Die Nummer dient nur der Anmeldung.
phone-button = Code senden
phone-form-expired = Diese Seite war nicht mehr aktuell, deshalb wurde nichts gesendet. Bitte geben Sie Ihre Nummer erneut ein.
phone-missing = Geben Sie Ihre Mobilnummer ein
phone-not-a-number = Geben Sie die ganze Nummer mit Ländervorwahl ein
phone-not-mobile = Geben Sie eine Mobilnummer ein; diese Nummer kann keine SMS empfangen
phone-country-not-allowed = In dieses Land können wir keine SMS senden. Geben Sie eine Nummer aus einem anderen Land ein oder bitten Sie um Hilfe
phone-asked-too-often = An diese Nummer wurden zu viele SMS gesendet. Versuchen Sie es in { $time } erneut
ticket-label = Ticket
ticket-hint = Zwanzig Buchstaben und Ziffern, die Sie dafür getrennt von Ihrem Passwort erhalten haben
ticket-missing = Geben Sie das Ticket ein, das Sie dafür erhalten haben
ticket-not-right = Dieses Ticket stimmt nicht. Prüfen Sie es Zeichen für Zeichen oder bitten Sie um ein neues

code-title = Sehen Sie auf Ihr Telefon
code-get-title = Code anfordern
code-sent-to-ending = Wir haben einen Code an Ihre Nummer mit der Endung { $ending } gesendet.
code-sent-to-number = Wir haben einen Code an { $number } gesendet.
code-goes-to-ending = Der Code geht an Ihre Nummer mit der Endung { $ending }.
code-goes-to-number = Der Code geht an { $number }.
code-lifetime =
    { $minutes ->
        [one] Es kann einen Moment dauern, bis er ankommt; er ist eine Minute gültig.
       *[other] Es kann einen Moment dauern, bis er ankommt; er ist { $minutes } Minuten gültig.
    }
code-label = { $length }-stelliger Code
code-button = Weiter
code-different-number = Andere Nummer verwenden
code-problems = Kein Code angekommen?
code-resend = Code erneut senden
code-resend-fresh = Neuen Code senden
code-wait = In { $time } können Sie ihn erneut anfordern.
code-can-ask-now = Sie können ihn jetzt erneut anfordern.
code-sends-left =
    { $left ->
        [0] Für diese Anmeldung kann keine weitere SMS gesendet werden.
        [one] Wir können ihn noch einmal senden.
       *[other] Wir können ihn noch { $left }-mal senden.
    }
code-no-phone = Nicht mehr Ihre Nummer oder kein Telefon zur Hand? Bitten Sie um Hilfe: { $contact }
code-no-phone-nobody = Nicht mehr Ihre Nummer oder kein Telefon zur Hand? Wenden Sie sich an die Stelle, die Ihnen Ihr Konto gegeben hat.
code-form-expired = Diese Seite war nicht mehr aktuell, deshalb wurde nichts gesendet. Bitte geben Sie den Code erneut ein.
code-sent-again = Wir haben den Code erneut gesendet.
code-maybe-sent = Die SMS ist vielleicht unterwegs, sicher wissen wir es nicht. Wenn innerhalb einer Minute nichts ankommt, fordern Sie den Code noch einmal an.
code-not-sent = Wir konnten Ihnen keine SMS senden. Versuchen Sie es in einer Minute erneut oder bitten Sie um Hilfe.
code-number-refused = An diese Nummer kann keine SMS gesendet werden. Bitten Sie um Hilfe.
code-number-refused-enrolling = An diese Nummer kann keine SMS gesendet werden. Verwenden Sie eine andere Nummer.
code-asked-too-early = Für eine weitere SMS ist es zu früh. In { $time } können Sie sie anfordern.
code-asked-too-often = Es wurden zu viele SMS gesendet. In { $time } können Sie eine neue anfordern.
code-none-left = Für diese Anmeldung kann keine weitere SMS gesendet werden. Verwenden Sie den Code, den Sie haben, oder beginnen Sie neu.
code-missing = Geben Sie den Code aus der SMS ein
code-not-digits = Der Code besteht aus { $length } Ziffern und nichts anderem
code-wrong = Dieser Code ist nicht korrekt. Sehen Sie in der neuesten SMS nach und versuchen Sie es erneut.
code-attempts-left =
    { $left ->
        [one] Dies ist der letzte Versuch.
       *[other] Sie haben noch { $left } Versuche.
    }
code-expired = Dieser Code ist abgelaufen. Fordern Sie einen neuen an.
code-expired-lead = Der gesendete Code kann nicht mehr verwendet werden. Ein neuer ist gleich da; Ihr Passwort brauchen Sie dafür nicht noch einmal.

new-password-title = Eigenes Passwort wählen
new-password-why = Das Passwort, das Sie bekommen haben, gilt nur für diese Anmeldung. Wählen Sie jetzt Ihr eigenes.
new-password-label = Neues Passwort
new-password-hint = Mindestens { $length } Zeichen. Mehrere Wörter hintereinander sind gut und leicht zu merken.
new-password-again = Neues Passwort, noch einmal
new-password-button = Speichern und weiter
new-password-form-expired = Diese Seite war nicht mehr aktuell, deshalb wurde nichts gespeichert. Bitte wählen Sie Ihr Passwort erneut.
new-password-missing = Geben Sie ein neues Passwort ein
new-password-differs = Die beiden Passwörter sind nicht gleich
new-password-too-short = Verwenden Sie mindestens { $length } Zeichen
new-password-too-long = Das ist zu lang; höchstens 256 Zeichen
new-password-common = Dieses Passwort gehört zu denen, die zuerst ausprobiert werden. Wählen Sie ein anderes
new-password-named = Wählen Sie ein Passwort ohne Ihren Namen und ohne den Namen dieser Seite
new-password-guessable = Das ist leicht zu erraten: eine Tastenreihe, eine Wiederholung, ein Datum oder ein häufiges Wort. Fügen Sie andere Wörter hinzu
new-password-same = Das ist das Passwort, das Sie bekommen haben. Wählen Sie ein anderes

step-up-title = Ab jetzt mit Code
step-up-lead = Zur Anmeldung bei { $site } gehört ab jetzt auch ein Code per SMS. Wir senden ihn an die Telefonnummer Ihres Kontos.
step-up-button = Code senden

logout-title = Abmelden?
logout-lead = Sie sind als { $user } angemeldet.
logout-button = Abmelden
logout-stay = Angemeldet bleiben
signed-out-title = Sie sind abgemeldet
signed-out-lead = Wenn andere dieses Gerät benutzen, schließen Sie auch den Browser.

account-title = Ihr Konto
account-number-title = Telefonnummer
account-number-none = In Ihrem Konto ist keine Mobilnummer eingetragen.
account-number-ending = Codes gehen an Ihre Nummer mit der Endung { $ending }.
account-sessions-title = Wo Sie angemeldet sind
account-sessions-hint = Browser und System heißen so, wie sie sich selbst nennen. Eine Sitzung, die nicht benutzt wird, endet von selbst und bleibt noch einige Stunden in dieser Liste.
account-this-session = diese hier
account-device = { $browser } auf { $system }
account-device-system = Unbekannter Browser auf { $system }
account-device-unknown = Unbekannter Browser
account-opened = Begonnen
account-source = Von { $source }
account-end = Diese Sitzung beenden
account-end-which = Die Sitzung von { $device } beenden, begonnen { $time }
account-end-others = Alle anderen Sitzungen beenden
account-back = Zur Anwendung
account-session-ended = Die Sitzung ist beendet.
account-no-such-session = Diese Sitzung gibt es nicht mehr.
account-others-ended = Alle anderen Sitzungen sind beendet.
account-form-expired = Diese Seite war nicht mehr aktuell, deshalb ist nichts geschehen. Bitte versuchen Sie es noch einmal.
account-password-title = Passwort ändern
account-password-why = Hier bleiben Sie angemeldet. Überall sonst werden Sie abgemeldet.
account-password-present = Bisheriges Passwort
account-password-button = Passwort ändern
account-password-not-correct = Das bisherige Passwort ist nicht richtig, oder es wird nach zu vielen Versuchen zurzeit nicht geprüft. Prüfen Sie es, versuchen Sie es später noch einmal oder bitten Sie um Hilfe.
account-password-same = Das ist schon Ihr Passwort. Wählen Sie ein anderes
account-password-changed = Ihr Passwort ist geändert. Alle anderen Sitzungen sind beendet.
number-first-title = Ihre Telefonnummer eintragen
number-first-hint = Bald braucht die Anmeldung auch einen Code per SMS. Tragen Sie Ihre Nummer jetzt ein, dann sind Sie bereit.
number-first-why = Zu Ihrer Sicherheit fragen wir zuerst nach Ihrem Passwort. Danach geben Sie Ihre Nummer an, und dorthin geht ein Code.
number-first-button = Weiter
number-title = Telefonnummer ändern
number-why = Zu Ihrer Sicherheit fragen wir zuerst nach Ihrem Passwort und senden einen Code an Ihre bisherige Nummer, danach einen an die neue.
number-old-title = Ein Code auf Ihrer bisherigen Nummer
number-new-title = Ein Code auf Ihrer neuen Nummer
number-new-why = Ihre bisherige Nummer ist bestätigt. Welche Nummer soll an ihre Stelle treten? Ein Code geht sofort dorthin.
number-same = Das ist schon Ihre Nummer. Geben Sie eine andere ein
number-changed = Ihre Nummer ist geändert. Alle anderen Sitzungen sind beendet.
number-not-changed = Ihre Nummer ist nicht geändert: Es hat zu lange gedauert, es gab zu viele Versuche, oder die Änderung wurde in einem anderen Tab begonnen. Sie können von vorn beginnen.
number-taken = Ihre Nummer ist nicht geändert: Die neue gehört bereits zu einem anderen Konto.
number-by-operator = Nur wer Ihnen Ihr Konto gegeben hat, kann sie ändern.
number-cancel = Nummer nicht ändern

no-number-title = Noch keine Telefonnummer
no-number-lead = Zur Anmeldung gehört ein Code per SMS, und für Ihr Konto ist keine Mobilnummer hinterlegt.
no-number-closed = Zur Anmeldung gehört ein Code per SMS. Die Zeit, in der Sie Ihre Nummer selbst hinzufügen konnten, ist vorbei.
no-number-operator = Zur Anmeldung als Operator gehört ein Code per SMS, und für dieses Konto ist keine Mobilnummer hinterlegt. Sie wird auf der Befehlszeile gesetzt: vestibule user set-phone.
no-number-ask = Um Ihre Nummer hinzufügen zu lassen, wenden Sie sich an: { $contact }
no-number-ask-nobody = Bitten Sie die Stelle, die Ihnen Ihr Konto gegeben hat, Ihre Nummer hinzuzufügen.
over-title = Bitte beginnen Sie neu
over-attempts = Der Code war zu oft nicht korrekt. Diese Anmeldung wurde geschlossen.
over-gone = Diese Anmeldung kann nicht mehr verwendet werden. Vielleicht hat sie zu lange gedauert, wurde in einem anderen Tab beendet, oder an Ihrem Konto hat sich etwas geändert.
over-number-taken = Diese Nummer gehört bereits zu einem anderen Konto und kann Ihrem nicht hinzugefügt werden. Melden Sie sich erneut an und geben Sie eine andere Nummer an.
codes-paused-title = Codes sind ausgesetzt
codes-paused-lead = Es gab zu viele falsche Codes. Zu Ihrer Sicherheit werden zurzeit keine Codes angenommen.
codes-paused-wait = In { $time } können Sie sich wieder anmelden.
codes-paused-ask = Um sie wieder zuzulassen, wenden Sie sich an: { $contact }
codes-paused-ask-nobody = Bitten Sie die Stelle, die Ihnen Ihr Konto gegeben hat, sie wieder zuzulassen.
too-many-title = Zu viele Versuche
too-many-lead = Aus Ihrem Netzwerk sind zu viele Anmeldungen fehlgeschlagen. In { $time } können Sie es erneut versuchen.
waiting-title = Einen Moment bitte
waiting-lead = Gerade melden sich viele Personen an. Versuchen Sie es in { $time } erneut.
circle-title = Die Anmeldung hält nicht
circle-no-cookies = Ihr Browser schickt unser Cookie nicht zurück. Ohne das Cookie wissen wir nicht, dass Sie es sind.
circle-no-cookies-advice = Erlauben Sie Cookies für diese Website. Private Fenster, strenge Einstellungen und manche Erweiterungen blockieren sie. Versuchen Sie es dann erneut.
circle-http = Diese Seite wurde über http geöffnet. Die Anmeldung geht nur über https.
circle-http-advice = Öffnen Sie die Adresse noch einmal mit https:// davor.
circle-not-kept = Sie haben sich angemeldet, aber Ihr Browser schickt das Cookie Ihrer Sitzung nicht zurück.
circle-not-kept-advice = Löschen Sie die Cookies dieser Website, schließen Sie ihre anderen Fenster und versuchen Sie es erneut.
circle-doubled = Ihr Browser schickt das Cookie Ihrer Sitzung doppelt, deshalb ist nicht zu erkennen, welches gilt.
circle-doubled-advice = Löschen Sie die Cookies dieser Website und versuchen Sie es erneut.
circle-not-known = Sie haben sich angemeldet, aber der Server mit Ihrer Seite kennt Ihre Sitzung nicht.
circle-not-known-advice = Das liegt nicht an Ihnen. Ein neuer Versuch hilft höchstens für kurze Zeit.
circle-clock = Sie haben sich angemeldet, aber für einen unserer Server liegt Ihre Sitzung in einer anderen Zeit: Eine Uhr geht falsch.
circle-clock-advice = Das liegt nicht an Ihnen. Ein neuer Versuch hilft höchstens für kurze Zeit.
circle-ended = Sie haben sich angemeldet, aber Ihre Sitzung wird sofort wieder beendet.
circle-ended-advice = Das liegt nicht an Ihnen. Ein neuer Versuch hilft höchstens für kurze Zeit.
circle-application = Sie sind angemeldet, aber die Seite, die Sie öffnen wollen, schickt Sie zur Anmeldung zurück.
circle-application-advice = Das liegt nicht an Ihnen. Andere Seiten gehen vielleicht.
circle-https = Sie sind über https gekommen, aber unserem Server wird etwas anderes gesagt, und er schickt Sie immer wieder dorthin.
circle-https-advice = Das liegt nicht an Ihnen, und Sie können nichts daran ändern.
circle-ask = Wenn es wieder geschieht, geben Sie die Referenz unten weiter an: { $contact }
circle-ask-nobody = Wenn es wieder geschieht, geben Sie die Referenz unten an die Stelle weiter, die Ihnen Ihr Konto gegeben hat.
not-sent-title = Nicht gesendet
not-sent-lead = Ihre Sitzung war beendet, deshalb wurde Ihre Eingabe nicht weitergegeben.
not-sent-advice = Gehen Sie zurück: Ihr Text steht meistens noch da. Kopieren Sie ihn, melden Sie sich an und senden Sie ihn erneut. Eine Datei muss neu gewählt werden.
in-frame-lead = Melden Sie sich an, um zu sehen, was hierher gehört.
interrupted-title = Ihre Sitzung ist beendet
interrupted-lead = Sie endete, während Ihre Eingabe unterwegs war. Wir wissen nicht, ob sie gespeichert wurde.
interrupted-advice = Melden Sie sich an und sehen Sie nach, bevor Sie sie noch einmal senden.

bad-request-title = Diese Anfrage wurde nicht verstanden
bad-request-lead = An der Adresse oder an dem, was gesendet wurde, stimmt etwas nicht.
bad-request-advice = Gehen Sie zurück und versuchen Sie es erneut. Wenn es wieder geschieht, bitten Sie um Hilfe und nennen Sie die Referenz unten.
form-refused-title = Bitte öffnen Sie die Seite neu
form-refused-lead = Was Sie gesendet haben, kam nicht von einer Seite dieser Website. Zu Ihrer Sicherheit wurde es nicht angenommen.
form-refused-advice = Öffnen Sie die Anmeldeseite und versuchen Sie es erneut.
denied-title = Nicht verfügbar
denied-lead = Diese Adresse kann von hier aus nicht geöffnet werden.
denied-advice = Wenn Sie meinen, dass dies möglich sein sollte, bitten Sie um Hilfe und nennen Sie die Referenz unten.
not-found-title = Seite nicht gefunden
not-found-lead = Unter dieser Adresse gibt es nichts.
not-found-advice = Prüfen Sie die Adresse oder gehen Sie zur Startseite.
method-title = Das geht hier nicht
method-lead = Die Adresse gibt es, aber nicht für diese Art von Anfrage.
method-advice = Gehen Sie zurück und versuchen Sie es auf der Seite, von der Sie kamen, erneut.
too-large-title = Zu groß
too-large-lead = Was Sie gesendet haben, ist größer, als diese Seite annimmt.
too-large-advice = Senden Sie weniger oder bitten Sie um Hilfe.
uri-too-long-title = Die Adresse ist zu lang
uri-too-long-lead = Diese Adresse ist länger, als hier angenommen wird.
uri-too-long-advice = Öffnen Sie die Startseite und gehen Sie von dort aus weiter.
misdirected-title = Unter diesem Namen gibt es hier nichts
misdirected-lead = Dieser Server antwortet nicht für den Namen in der Adresse.
misdirected-advice = Prüfen Sie die Adresse. Wenn sie stimmt, bitten Sie um Hilfe und nennen Sie die Referenz unten.
busy-title = Zu viele Anfragen
busy-lead = Aus Ihrem Netzwerk kamen mehr Anfragen, als wir beantworten können.
busy-advice = Warten Sie etwas und versuchen Sie es erneut.
headers-title = Zu viel in der Anfrage
headers-lead = Ihr Browser hat mehr Cookies oder andere Daten gesendet, als hier angenommen wird.
headers-advice = Löschen Sie die Cookies dieser Website und versuchen Sie es erneut.
internal-title = Etwas ist schiefgegangen
internal-lead = Der Fehler liegt bei uns, nicht bei Ihnen.
internal-advice = Versuchen Sie es in einer Minute erneut. Wenn es wieder geschieht, bitten Sie um Hilfe und nennen Sie die Referenz unten.
bad-gateway-title = Die Anwendung antwortet nicht
bad-gateway-lead = Sie sind hier richtig, aber die Anwendung hinter dieser Seite war nicht erreichbar.
bad-gateway-advice = Versuchen Sie es in einer Minute erneut.
sign-in-unavailable-title = Die Anmeldung ist gerade nicht möglich
sign-in-unavailable-lead = Ein Teil, den wir zur Anmeldung brauchen, antwortet nicht. Mit Ihrem Konto ist alles in Ordnung.
sign-in-unavailable-advice = Versuchen Sie es in einer Minute erneut.
unavailable-title = Gerade nicht verfügbar
unavailable-lead = Die Anwendung kann Ihre Anfrage im Moment nicht annehmen.
unavailable-advice = Versuchen Sie es in einer Minute erneut.
gateway-timeout-title = Die Anwendung braucht zu lange
gateway-timeout-lead = Die Anwendung hinter dieser Seite hat nicht rechtzeitig geantwortet.
gateway-timeout-advice = Versuchen Sie es in einer Minute erneut. Sehen Sie nach, ob ein Formular gespeichert wurde, bevor Sie es noch einmal senden.
start-page = Zur Startseite
open-sign-in = Anmeldeseite öffnen
