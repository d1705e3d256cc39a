# Français. NOT YET REVIEWED BY A NATIVE SPEAKER.
# Form of address: vous. Same keys and variables as en.ftl; what the keys are for is said there.
# In the SMS no ç, ê, î, ô, œ and no curly apostrophe: they are not in GSM-7.

sms-code = { $code } est votre code de connexion { $site }. Ne le communiquez pas.
sms-test = Ceci est un message de test de { $site }.
sms-number-set = { $site } : depuis { $time }, les codes vont au numéro finissant par { $ending }. Pas vous ? Demandez de l'aide sans attendre.
sms-number-cleared = { $site } : ce numéro a été retiré de votre compte le { $time }. Pas vous ? Demandez de l'aide sans attendre.
sms-two-factor-reset = { $site } : votre connexion a été réinitialisée le { $time }. Pas à votre demande ? Demandez de l'aide sans attendre.
sms-password-given = { $site } : mot de passe à usage unique créé le { $time }. Pas à votre demande ? Demandez de l'aide sans attendre.

# Mails about changes
mail-number-set-subject = { $site } : les codes de connexion vont au numéro finissant par { $ending }
mail-number-set = Depuis { $time }, les codes avec lesquels vous vous connectez à { $site } vont au numéro de téléphone qui finit par { $ending }.
mail-number-cleared-subject = { $site } : votre numéro de téléphone a été retiré de votre compte
mail-number-cleared = Le { $time }, le numéro de téléphone a été retiré de votre compte chez { $site }.
mail-two-factor-reset-subject = { $site } : votre connexion a été réinitialisée
mail-two-factor-reset = Le { $time }, un administrateur de { $site } a réinitialisé votre connexion en deux étapes. Vous êtes déconnecté partout ; votre numéro de téléphone reste le même.
mail-password-given-subject = { $site } : un mot de passe à usage unique a été créé pour vous
mail-password-given = Le { $time }, un administrateur de { $site } a créé pour vous un mot de passe à usage unique, à la place de celui que vous aviez. Vous en choisirez un autre en vous connectant.
mail-account = Il s'agit du compte { $user }.
mail-known = Si c'était vous, ou si vous l'avez demandé, vous n'avez rien à faire.
mail-help = Sinon, quelqu'un d'autre utilise peut-être votre compte. Demandez de l'aide sans attendre à ceux qui gèrent { $site }.
mail-help-support = Sinon, quelqu'un d'autre utilise peut-être votre compte. Demandez de l'aide sans attendre : { $support }
mail-closing = Ce message a été envoyé automatiquement. Personne ne vous demandera jamais votre mot de passe ni un code.

title-error = Erreur : { $title }
problem-heading = Il y a un problème
languages = Langue
support = Aide : { $contact }
support-link = Besoin d’aide ?
reference = Référence : { $id }
duration-seconds =
    { $count ->
        [one] { $count } seconde
       *[other] { $count } secondes
    }
duration-minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
duration-hours =
    { $count ->
        [one] { $count } heure
       *[other] { $count } heures
    }
sign-in-again = Se connecter à nouveau
go-on = Continuer
try-again = Réessayer

login-title = Connexion
login-user-name = Nom d’utilisateur
login-password = Mot de passe
login-show = Afficher
login-show-password = Afficher le mot de passe
login-hide = Masquer
login-hide-password = Masquer le mot de passe
login-button = Se connecter
login-password-help = Mot de passe oublié ?
login-not-you = Ce n’est pas vous ? Déconnectez-vous
login-not-correct = Le nom d’utilisateur ou le mot de passe est incorrect, ou la connexion est suspendue après trop d’essais. Vérifiez les deux, réessayez plus tard ou demandez de l’aide.
login-user-name-missing = Saisissez votre nom d’utilisateur
login-password-missing = Saisissez votre mot de passe
login-form-expired = Cette page n’était plus à jour : rien n’a été envoyé. Saisissez à nouveau votre mot de passe.
login-cookie-missing = Cette page n’était plus à jour, ou votre navigateur n’a pas renvoyé notre cookie : rien n’a été envoyé. Saisissez à nouveau votre mot de passe.
login-session-ended = Votre session est terminée. Connectez-vous pour continuer.
login-two-factor-needed = La connexion demande désormais aussi un code envoyé par SMS. Saisissez encore une fois votre mot de passe pour continuer.
login-announcement = À partir du { $day }, la connexion demandera aussi un code envoyé par SMS.
day-in-words = { $day ->
    [1] 1er
   *[other] { $day }
    } { $month ->
     [1] janvier
     [2] février
     [3] mars
     [4] avril
     [5] mai
     [6] juin
     [7] juillet
     [8] août
     [9] septembre
     [10] octobre
     [11] novembre
    *[12] décembre
    } { $year }

phone-title = Ajoutez votre numéro de mobile
phone-why = La connexion demande désormais aussi un code envoyé par SMS. Indiquez-nous où l’envoyer ; un premier code part aussitôt.
phone-label = Numéro de mobile
phone-hint = Avec l’indicatif du pays, par exemple { $example }
phone-countries = Indicatifs acceptés : { $codes }
phone-use = Ce numéro sert à la connexion, à rien d’autre.
phone-button = Envoyez-moi un code
phone-form-expired = Cette page n’était plus à jour : rien n’a été envoyé. Saisissez à nouveau votre numéro.
phone-missing = Saisissez votre numéro de mobile
phone-not-a-number = Saisissez le numéro complet, avec l’indicatif du pays
phone-not-mobile = Saisissez un numéro de mobile ; celui-ci ne peut pas recevoir de SMS
phone-country-not-allowed = Nous ne pouvons pas envoyer de SMS vers ce pays. Saisissez un numéro d’un autre pays ou demandez de l’aide
phone-asked-too-often = Trop de SMS ont été envoyés à ce numéro. Attendez { $time } et réessayez
ticket-label = Ticket
ticket-hint = Vingt lettres et chiffres qui vous ont été remis à cet effet, séparément de votre mot de passe
ticket-missing = Saisissez le ticket qui vous a été remis à cet effet
ticket-not-right = Ce ticket n’est pas valable. Vérifiez-le caractère par caractère ou demandez-en un autre

code-title = Consultez votre téléphone
code-get-title = Demandez un code
code-sent-to-ending = Nous avons envoyé un code à votre numéro se terminant par { $ending }.
code-sent-to-number = Nous avons envoyé un code au { $number }.
code-goes-to-ending = Le code est envoyé à votre numéro se terminant par { $ending }.
code-goes-to-number = Le code est envoyé au { $number }.
code-lifetime =
    { $minutes ->
        [one] Il peut mettre un instant à arriver et reste valable { $minutes } minute.
       *[other] Il peut mettre un instant à arriver et reste valable { $minutes } minutes.
    }
code-label = Code à { $length } chiffres
code-button = Continuer
code-different-number = Utiliser un autre numéro
code-problems = Pas de code ?
code-resend = Renvoyer le code
code-resend-fresh = Envoyer un nouveau code
code-wait = Vous pourrez le redemander dans { $time }.
code-can-ask-now = Vous pouvez maintenant le redemander.
code-sends-left =
    { $left ->
        [0] Aucun autre SMS ne peut être envoyé pour cette connexion.
        [one] Nous pouvons encore l’envoyer une fois.
       *[other] Nous pouvons encore l’envoyer { $left } fois.
    }
code-no-phone = Ce n’est plus votre numéro, ou vous n’avez pas votre téléphone ? Demandez de l’aide : { $contact }
code-no-phone-nobody = Ce n’est plus votre numéro, ou vous n’avez pas votre téléphone ? Adressez-vous à ceux qui vous ont donné votre compte.
code-form-expired = Cette page n’était plus à jour : rien n’a été envoyé. Saisissez à nouveau le code.
code-sent-again = Nous avons renvoyé le code.
code-maybe-sent = Le SMS est peut-être en route, mais nous n’en sommes pas certains. Si rien n’arrive d’ici une minute, redemandez le code.
code-not-sent = Nous n’avons pas pu vous envoyer de SMS. Attendez une minute et réessayez, ou demandez de l’aide.
code-number-refused = Il est impossible d’envoyer un SMS à ce numéro. Demandez de l’aide.
code-number-refused-enrolling = Il est impossible d’envoyer un SMS à ce numéro. Utilisez un autre numéro.
code-asked-too-early = Il est trop tôt pour un autre SMS. Vous pourrez le redemander dans { $time }.
code-asked-too-often = Trop de SMS ont été envoyés. Vous pourrez en redemander un dans { $time }.
code-none-left = Aucun autre SMS ne peut être envoyé pour cette connexion. Utilisez le code que vous avez ou recommencez.
code-missing = Saisissez le code reçu par SMS
code-not-digits = Le code se compose de { $length } chiffres, sans rien d’autre
code-wrong = Ce code est incorrect. Regardez le SMS le plus récent et réessayez.
code-attempts-left =
    { $left ->
        [one] C’est le dernier essai.
       *[other] Il reste { $left } essais.
    }
code-expired = Ce code a expiré. Demandez-en un nouveau.
code-expired-lead = Le code que nous avons envoyé ne peut plus être utilisé. Un nouveau ne prend qu’un instant ; votre mot de passe n’est plus nécessaire.

new-password-title = Choisissez votre mot de passe
new-password-why = Le mot de passe que vous avez reçu ne sert que pour cette connexion. Choisissez maintenant le vôtre.
new-password-label = Nouveau mot de passe
new-password-hint = Au moins { $length } caractères. Plusieurs mots à la suite conviennent et se retiennent facilement.
new-password-again = Nouveau mot de passe, encore une fois
new-password-button = Enregistrer et continuer
new-password-form-expired = Cette page n’était plus à jour : rien n’a été enregistré. Choisissez à nouveau votre mot de passe.
new-password-missing = Saisissez un nouveau mot de passe
new-password-differs = Les deux mots de passe ne sont pas identiques
new-password-too-short = Utilisez au moins { $length } caractères
new-password-too-long = C’est trop long ; utilisez 256 caractères au plus
new-password-common = Ce mot de passe est de ceux que l’on essaie en premier. Choisissez-en un autre
new-password-named = Choisissez un mot de passe sans votre nom ni celui de ce site
new-password-guessable = Il est facile à deviner : une suite de touches, une répétition, une date ou un mot courant. Ajoutez d’autres mots
new-password-same = C’est le mot de passe que vous avez reçu. Choisissez-en un autre

step-up-title = Désormais avec un code
step-up-lead = La connexion à { $site } demande désormais aussi un code envoyé par SMS. Nous l’enverrons au numéro de téléphone de votre compte.
step-up-button = Envoyez-moi un code

logout-title = Se déconnecter ?
logout-lead = Vous êtes connecté en tant que { $user }.
logout-button = Se déconnecter
logout-stay = Rester connecté
signed-out-title = Vous êtes déconnecté
signed-out-lead = Si d’autres personnes utilisent cet appareil, fermez aussi le navigateur.

account-title = Votre compte
account-number-title = Numéro de téléphone
account-number-none = Il n’y a pas de numéro de mobile sur votre compte.
account-number-ending = Les codes sont envoyés à votre numéro qui se termine par { $ending }.
account-sessions-title = Où vous êtes connecté
account-sessions-hint = Le navigateur et le système sont nommés comme ils se nomment eux-mêmes. Une session inutilisée se termine d’elle-même et reste quelques heures dans cette liste.
account-this-session = celle-ci
account-device = { $browser } sur { $system }
account-device-system = Navigateur inconnu sur { $system }
account-device-unknown = Navigateur inconnu
account-opened = Ouverte
account-source = Depuis { $source }
account-end = Terminer cette session
account-end-which = Terminer la session de { $device }, ouverte { $time }
account-end-others = Terminer toutes les autres sessions
account-back = Vers l’application
account-session-ended = Cette session est terminée.
account-no-such-session = Cette session n’existe plus.
account-others-ended = Toutes les autres sessions sont terminées.
account-form-expired = Cette page n’était plus à jour : rien n’a été fait. Veuillez réessayer.
account-password-title = Changer votre mot de passe
account-password-why = Vous restez connecté ici. Partout ailleurs, vous serez déconnecté.
account-password-present = Mot de passe actuel
account-password-button = Changer le mot de passe
account-password-not-correct = Le mot de passe actuel n’est pas correct, ou il n’est pas examiné pour l’instant après trop d’essais. Vérifiez-le, réessayez plus tard ou demandez de l’aide.
account-password-same = C’est déjà votre mot de passe. Choisissez-en un autre
account-password-changed = Votre mot de passe a été changé. Toutes les autres sessions sont terminées.
number-first-title = Enregistrer votre numéro de téléphone
number-first-hint = Bientôt, la connexion demandera aussi un code par SMS. Enregistrez votre numéro dès maintenant et vous serez prêt.
number-first-why = Pour votre sécurité, nous vous demandons d'abord votre mot de passe. Ensuite, vous donnez votre numéro, et un code y est envoyé.
number-first-button = Continuer
number-title = Changer votre numéro de téléphone
number-why = Pour votre sécurité, nous demandons d’abord votre mot de passe et envoyons un code à votre numéro actuel, puis un autre au nouveau numéro.
number-old-title = Un code sur votre numéro actuel
number-new-title = Un code sur votre nouveau numéro
number-new-why = Votre numéro actuel est confirmé. Quel numéro doit le remplacer ? Un code y est envoyé aussitôt.
number-same = C’est déjà votre numéro. Saisissez-en un autre
number-changed = Votre numéro a été changé. Toutes les autres sessions sont terminées.
number-not-changed = Votre numéro n’a pas été changé : cela a pris trop de temps, il y a eu trop d’essais, ou le changement a été commencé dans un autre onglet. Vous pouvez recommencer.
number-taken = Votre numéro n’a pas été changé : le nouveau figure déjà sur un autre compte.
number-by-operator = Seules les personnes qui vous ont donné votre compte peuvent le changer.
number-cancel = Ne pas changer le numéro

no-number-title = Pas encore de numéro
no-number-lead = La connexion demande un code envoyé par SMS, et votre compte n’a pas de numéro de mobile.
no-number-closed = La connexion demande un code envoyé par SMS. Le délai pour ajouter vous-même votre numéro est passé.
no-number-operator = Un opérateur se connecte avec un code envoyé par SMS, et ce compte n’a pas de numéro de mobile. Il se définit en ligne de commande : vestibule user set-phone.
no-number-ask = Pour faire ajouter votre numéro, adressez-vous à : { $contact }
no-number-ask-nobody = Demandez à ceux qui vous ont donné votre compte d’ajouter votre numéro.
over-title = Veuillez recommencer
over-attempts = Le code a été incorrect trop de fois ; cette connexion a été fermée.
over-gone = Cette connexion ne peut plus être utilisée. Peut-être a-t-elle pris trop de temps ou été terminée dans un autre onglet, ou quelque chose a changé dans votre compte.
over-number-taken = Ce numéro figure déjà sur un autre compte et ne peut donc pas être ajouté au vôtre. Reconnectez-vous et indiquez un autre numéro.
codes-paused-title = Les codes sont suspendus
codes-paused-lead = Il y a eu trop de codes incorrects. Pour votre sécurité, les codes ne sont pas acceptés pour le moment.
codes-paused-wait = Vous pourrez vous connecter à nouveau dans { $time }.
codes-paused-ask = Pour qu’ils soient à nouveau acceptés, adressez-vous à : { $contact }
codes-paused-ask-nobody = Demandez à ceux qui vous ont donné votre compte de les accepter à nouveau.
too-many-title = Trop d’essais
too-many-lead = Trop de connexions ont échoué depuis votre réseau. Vous pourrez réessayer dans { $time }.
waiting-title = Un instant, s’il vous plaît
waiting-lead = Beaucoup de personnes se connectent en ce moment. Réessayez dans { $time }.
circle-title = La connexion ne tient pas
circle-no-cookies = Votre navigateur ne renvoie pas notre cookie. Sans lui, nous ne pouvons pas savoir que c’est vous.
circle-no-cookies-advice = Autorisez les cookies pour ce site. La navigation privée, des réglages stricts et certaines extensions les bloquent. Puis réessayez.
circle-http = Cette page a été ouverte en http. La connexion ne fonctionne qu’en https.
circle-http-advice = Ouvrez à nouveau l’adresse en commençant par https://.
circle-not-kept = Vous vous êtes connecté, mais votre navigateur ne renvoie pas le cookie de votre session.
circle-not-kept-advice = Supprimez les cookies de ce site, fermez ses autres fenêtres et réessayez.
circle-doubled = Votre navigateur envoie deux fois le cookie de votre session : nous ne savons pas lequel est le bon.
circle-doubled-advice = Supprimez les cookies de ce site et réessayez.
circle-not-known = Vous vous êtes connecté, mais le serveur de votre page ne connaît pas votre session.
circle-not-known-advice = Ce n’est pas votre faute. Réessayer n’aidera qu’un moment.
circle-clock = Vous vous êtes connecté, mais pour l’un de nos serveurs votre session est d’un autre temps : une horloge est déréglée.
circle-clock-advice = Ce n’est pas votre faute. Réessayer n’aidera qu’un moment.
circle-ended = Vous vous êtes connecté, mais votre session est aussitôt terminée.
circle-ended-advice = Ce n’est pas votre faute. Réessayer n’aidera qu’un moment.
circle-application = Vous êtes connecté, mais la page que vous voulez ouvrir vous renvoie à la connexion.
circle-application-advice = Ce n’est pas votre faute. D’autres pages fonctionnent peut-être.
circle-https = Vous êtes venu en https, mais on dit le contraire à notre serveur, qui vous y renvoie sans fin.
circle-https-advice = Ce n’est pas votre faute, et vous n’y pouvez rien changer.
circle-ask = Si cela se reproduit, donnez la référence ci-dessous à : { $contact }
circle-ask-nobody = Si cela se reproduit, donnez la référence ci-dessous à ceux qui vous ont donné votre compte.
not-sent-title = Non envoyé
not-sent-lead = Votre session était terminée : ce que vous avez envoyé n’a pas été transmis.
not-sent-advice = Revenez en arrière : votre texte y est en général encore. Copiez-le, connectez-vous et envoyez-le à nouveau. Un fichier doit être choisi à nouveau.
in-frame-lead = Connectez-vous pour voir ce qui a sa place ici.
interrupted-title = Votre session est terminée
interrupted-lead = Elle s’est terminée pendant l’envoi. Nous ne savons pas si ce que vous avez envoyé a été enregistré.
interrupted-advice = Connectez-vous et vérifiez avant de l’envoyer à nouveau.

bad-request-title = Cette demande n’a pas été comprise
bad-request-lead = Quelque chose n’est pas correct dans l’adresse ou dans ce qui a été envoyé.
bad-request-advice = Revenez en arrière et réessayez. Si cela se reproduit, demandez de l’aide en donnant la référence ci-dessous.
form-refused-title = Veuillez rouvrir la page
form-refused-lead = Ce que vous avez envoyé ne vient pas d’une page de ce site ; pour votre sécurité, ce n’a pas été accepté.
form-refused-advice = Ouvrez la page de connexion et réessayez.
denied-title = Non disponible
denied-lead = Cette adresse ne peut pas être ouverte d’ici.
denied-advice = Si vous pensez qu’elle devrait l’être, demandez de l’aide en donnant la référence ci-dessous.
not-found-title = Page introuvable
not-found-lead = Il n’y a rien à cette adresse.
not-found-advice = Vérifiez l’adresse ou allez à la page d’accueil.
method-title = Impossible ici
method-lead = L’adresse existe, mais pas pour ce genre de demande.
method-advice = Revenez en arrière et réessayez depuis la page d’où vous venez.
too-large-title = Trop volumineux
too-large-lead = Ce que vous avez envoyé dépasse ce que cette page accepte.
too-large-advice = Envoyez-en moins ou demandez de l’aide.
uri-too-long-title = L’adresse est trop longue
uri-too-long-lead = Cette adresse est plus longue que ce qui est accepté ici.
uri-too-long-advice = Ouvrez la page d’accueil et continuez à partir de là.
misdirected-title = Il n’y a rien ici sous ce nom
misdirected-lead = Ce serveur ne répond pas pour le nom indiqué dans l’adresse.
misdirected-advice = Vérifiez l’adresse. Si elle est correcte, demandez de l’aide en donnant la référence ci-dessous.
busy-title = Trop de demandes
busy-lead = Votre réseau a envoyé plus de demandes que nous ne pouvons en traiter.
busy-advice = Attendez un peu et réessayez.
headers-title = Trop de données dans la demande
headers-lead = Votre navigateur a envoyé plus de cookies ou d’autres données que ce qui est accepté.
headers-advice = Supprimez les cookies de ce site et réessayez.
internal-title = Une erreur s’est produite
internal-lead = L’erreur est de notre côté, pas du vôtre.
internal-advice = Réessayez dans une minute. Si cela se reproduit, demandez de l’aide en donnant la référence ci-dessous.
bad-gateway-title = L’application ne répond pas
bad-gateway-lead = Vous êtes au bon endroit, mais l’application derrière cette page est injoignable.
bad-gateway-advice = Réessayez dans une minute.
sign-in-unavailable-title = La connexion ne fonctionne pas pour le moment
sign-in-unavailable-lead = Un élément nécessaire à la connexion ne répond pas. Votre compte n’est pas en cause.
sign-in-unavailable-advice = Réessayez dans une minute.
unavailable-title = Indisponible pour le moment
unavailable-lead = L’application ne peut pas traiter votre demande en ce moment.
unavailable-advice = Réessayez dans une minute.
gateway-timeout-title = L’application met trop de temps
gateway-timeout-lead = L’application derrière cette page n’a pas répondu à temps.
gateway-timeout-advice = Réessayez dans une minute. Avant de renvoyer un formulaire, vérifiez s’il a été enregistré.
start-page = Aller à la page d’accueil
open-sign-in = Ouvrir la page de connexion
