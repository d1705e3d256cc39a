# English. The texts of every page, and of the SMS.
# Plain words, short sentences; the person is "you", we are "we". All languages have the same keys with the same variables: a test holds this.

## The SMS. Only characters of GSM-7 (no curly quotes, no dashes), one part: a test holds this.
## The code comes first, so that a notification shows it. The last line "@host #code" is added by the program.

sms-code = { $code } is your { $site } sign-in code. Do not share it.
sms-test = This is a test message from { $site }.
sms-number-set = { $site }: since { $time } sign-in codes go to a number ending in { $ending }. Was that not you? Ask for help there at once.
sms-number-cleared = { $site }: on { $time } this number was taken off your account. Was that not you? Ask for help there at once.
sms-two-factor-reset = { $site }: your sign-in was reset on { $time }. Did you not ask for that? Ask for help there at once.
sms-password-given = { $site }: a one-time password was made for you on { $time }. Did you not ask for that? Ask for help there at once.

# Mails about changes
mail-number-set-subject = { $site }: sign-in codes go to a number ending in { $ending }
mail-number-set = Since { $time }, the codes with which you sign in to { $site } go to the phone number that ends in { $ending }.
mail-number-cleared-subject = { $site }: your phone number was taken off your account
mail-number-cleared = On { $time }, the phone number was taken off your account at { $site }.
mail-two-factor-reset-subject = { $site }: your sign-in was reset
mail-two-factor-reset = On { $time }, an operator of { $site } reset your two-factor sign-in. You are signed out everywhere; your phone number stays the same.
mail-password-given-subject = { $site }: a one-time password was made for you
mail-password-given = On { $time }, an operator of { $site } made a one-time password for you, in place of the one you had. You choose another one when you sign in with it.
mail-account = This is about the account { $user }.
mail-known = If you did this yourself or asked for it, there is nothing to do.
mail-help = If not, somebody else may be using your account. Ask for help at once, from the people who run { $site }.
mail-help-support = If not, somebody else may be using your account. Ask for help at once: { $support }
mail-closing = This message was sent automatically. Nobody will ever ask you for your password or a code.

## On every page

title-error = Error: { $title }
problem-heading = There is a problem
languages = Language
support = Help: { $contact }
support-link = Get help
reference = Reference: { $id }
duration-seconds =
    { $count ->
        [one] 1 second
       *[other] { $count } seconds
    }
duration-minutes =
    { $count ->
        [one] 1 minute
       *[other] { $count } minutes
    }
duration-hours =
    { $count ->
        [one] 1 hour
       *[other] { $count } hours
    }
sign-in-again = Sign in again
go-on = Go on
try-again = Try again

## Sign-in

login-title = Sign in
login-user-name = User name
login-password = Password
login-show = Show
login-show-password = Show password
login-hide = Hide
login-hide-password = Hide password
login-button = Sign in
login-password-help = Forgot your password?
login-not-you = Not you? Sign out
login-not-correct = User name or password is not correct, or sign-in is paused after too many tries. Check both, or wait a while and try again, or ask for help.
login-user-name-missing = Enter your user name
login-password-missing = Enter your password
login-form-expired = This page was out of date, so nothing was sent. Please enter your password again.
login-cookie-missing = This page was out of date, or your browser did not send our cookie back, so nothing was sent. Please enter your password again.
login-session-ended = Your session has ended. Sign in to go on.
login-two-factor-needed = Signing in now also takes a code by text message. Enter your password once more to go on.
login-announcement = From { $day } on, signing in here will also take a code by text message.
day-in-words = { $day } { $month ->
     [1] January
     [2] February
     [3] March
     [4] April
     [5] May
     [6] June
     [7] July
     [8] August
     [9] September
     [10] October
     [11] November
    *[12] December
    } { $year }

## Adding a phone number

phone-title = Add your mobile phone
phone-why = From now on, signing in also takes a code by text message. Tell us where to send it; a first code goes there right away.
phone-label = Mobile phone number
phone-hint = With the country code, for example { $example }
phone-countries = Country codes we can send to: { $codes }
phone-use = The number is used for signing in, for nothing else.
phone-button = Send me a code
phone-form-expired = This page was out of date, so nothing was sent. Please enter your number again.
phone-missing = Enter your mobile phone number
phone-not-a-number = Enter the whole number, with the country code
phone-not-mobile = Enter the number of a mobile phone; this one cannot receive text messages
phone-country-not-allowed = We cannot send text messages to this country. Enter a number from another country, or ask for help
phone-asked-too-often = Too many text messages went to this number. Wait { $time } and try again
ticket-label = Ticket
ticket-hint = Twenty letters and digits that you were given for this, apart from your password
ticket-missing = Enter the ticket that you were given for this
ticket-not-right = This ticket is not right. Check it letter by letter, or ask for another one

## Entering the code

code-title = Check your phone
code-get-title = Get a code
code-sent-to-ending = We sent a code to your phone number ending in { $ending }.
code-sent-to-number = We sent a code to { $number }.
code-goes-to-ending = The code goes to your phone number ending in { $ending }.
code-goes-to-number = The code goes to { $number }.
code-lifetime =
    { $minutes ->
        [one] It may take a moment to arrive, and can be used for one minute.
       *[other] It may take a moment to arrive, and can be used for { $minutes } minutes.
    }
code-label = { $length }-digit code
code-button = Continue
code-different-number = Use a different number
code-problems = No code?
code-resend = Send the code again
code-resend-fresh = Send a new code
code-wait = You can ask again in { $time }.
code-can-ask-now = You can ask again now.
code-sends-left =
    { $left ->
        [0] No more text messages can be sent for this sign-in.
        [one] We can send it one more time.
       *[other] We can send it { $left } more times.
    }
code-no-phone = No longer your number, or no phone at hand? Ask for help: { $contact }
code-no-phone-nobody = No longer your number, or no phone at hand? Ask the people who gave you your account.
code-form-expired = This page was out of date, so nothing was sent. Please enter the code again.
code-sent-again = We sent the code again.
code-maybe-sent = The text message may be on its way, but we are not sure. If nothing arrives within a minute, ask for the code again.
code-not-sent = We could not send you a text message. Wait a minute and try again, or ask for help.
code-number-refused = Text messages cannot be sent to this number. Ask for help.
code-number-refused-enrolling = Text messages cannot be sent to this number. Use a different number.
code-asked-too-early = It is too early to send another text message. You can ask again in { $time }.
code-asked-too-often = Too many text messages were sent. You can ask again in { $time }.
code-none-left = No more text messages can be sent for this sign-in. Use the code you have, or start again.
code-missing = Enter the code from the text message
code-not-digits = The code is { $length } digits, nothing else
code-wrong = This code is not correct. Look at the newest text message and try again.
code-attempts-left =
    { $left ->
        [one] This is the last try.
       *[other] { $left } tries are left.
    }
code-expired = This code has expired. Ask for a new one.
code-expired-lead = The code we sent can no longer be used. A new one takes only a moment; your password is not needed again.

## A password in place of a one-time password

new-password-title = Choose your own password
new-password-why = The password you were given works only for this sign-in. Choose your own now.
new-password-label = New password
new-password-hint = At least { $length } characters. Several words in a row are good, and easy to remember.
new-password-again = New password, once more
new-password-button = Save and go on
new-password-form-expired = This page was out of date, so nothing was saved. Please choose your password again.
new-password-missing = Enter a new password
new-password-differs = The two passwords are not the same
new-password-too-short = Use at least { $length } characters
new-password-too-long = This is too long; use at most 256 characters
new-password-common = This password is one of those that are tried first. Choose another one
new-password-named = Choose a password that does not contain your name or the name of this site
new-password-guessable = This is guessed easily: a row of keys, a repetition, a date or a common word. Add other words
new-password-same = This is the password you were given. Choose another one

## A code is needed in a session that has none

step-up-title = Now with a code
step-up-lead = Signing in to { $site } now also takes a code by text message. We will send it to the phone number on your account.
step-up-button = Send me a code

## Signing out

logout-title = Sign out?
logout-lead = You are signed in as { $user }.
logout-button = Sign out
logout-stay = Stay signed in
signed-out-title = You have signed out
signed-out-lead = If other people use this device, close the browser as well.

## The account page

account-title = Your account
account-number-title = Phone number
account-number-none = There is no mobile phone number on your account.
account-number-ending = Codes go to your number ending in { $ending }.
account-sessions-title = Where you are signed in
account-sessions-hint = Browser and system are named as they name themselves. A session that is not used ends by itself, and stays in this list for some hours.
account-this-session = this one
account-device = { $browser } on { $system }
account-device-system = Unknown browser on { $system }
account-device-unknown = Unknown browser
account-opened = Opened
account-source = From { $source }
account-end = End this session
account-end-which = End the session of { $device }, opened { $time }
account-end-others = End all other sessions
account-back = To the application
account-session-ended = That session has ended.
account-no-such-session = That session is not there any more.
account-others-ended = All other sessions have ended.
account-form-expired = This page was out of date, so nothing was done. Please try again.
account-password-title = Change your password
account-password-why = You stay signed in here. Everywhere else you are signed out.
account-password-present = Present password
account-password-button = Change the password
account-password-not-correct = The present password is not correct, or it is not looked at for now after too many tries. Check it, try again later, or ask for help.
account-password-same = This is your password already. Choose another one
account-password-changed = Your password has been changed. All other sessions have ended.
number-first-title = Register your phone number
number-first-hint = Soon signing in takes a code by text message as well. Register your number now and you are ready.
number-first-why = For your safety we first ask for your password. Then you give your number, and a code is sent there.
number-first-button = Continue
number-title = Change your phone number
number-why = For your safety we first ask for your password and send a code to your present number, and then one to the new number.
number-old-title = A code on your present number
number-new-title = A code on your new number
number-new-why = Your present number is confirmed. Which number shall take its place? A code goes there right away.
number-same = This is your number already. Enter another one
number-changed = Your number has been changed. All other sessions have ended.
number-not-changed = Your number has not been changed: it took too long, there were too many tries, or it was begun in another tab. You can begin again.
number-taken = Your number has not been changed: the new one is on another account already.
number-by-operator = Only the people who gave you your account can change it.
number-cancel = Do not change the number

## A sign-in that cannot go on

no-number-title = No phone number yet
no-number-lead = Signing in takes a code by text message, and there is no mobile phone number on your account.
no-number-closed = Signing in takes a code by text message. The time in which you could add your number yourself has passed.
no-number-operator = An operator signs in with a code by text message, and there is no mobile phone number on this account. It is set on the command line: vestibule user set-phone.
no-number-ask = To have your number added, ask: { $contact }
no-number-ask-nobody = Ask the people who gave you your account to add your number.
over-title = Please start again
over-attempts = The code was not correct too many times, so this sign-in has been closed.
over-gone = This sign-in can no longer be used. Perhaps it took too long, was finished in another tab, or something about your account has changed.
over-number-taken = This number is on another account already, so it cannot be added to yours. Sign in again and give another number.
codes-paused-title = Codes are paused
codes-paused-lead = There have been too many wrong codes. For your safety, codes are not accepted for now.
codes-paused-wait = You can sign in again in { $time }.
codes-paused-ask = To have them accepted again, ask: { $contact }
codes-paused-ask-nobody = Ask the people who gave you your account to have them accepted again.
too-many-title = Too many tries
too-many-lead = Too many sign-ins from your network have failed. You can try again in { $time }.
waiting-title = One moment, please
waiting-lead = Many people are signing in right now. Please try again in { $time }.
circle-title = Signing in does not hold
circle-no-cookies = Your browser does not send our cookie back. Without it we cannot know that it is you.
circle-no-cookies-advice = Allow cookies for this site. Private windows, strict settings and some extensions block them. Then try again.
circle-http = This page was opened over http. Signing in works over https only.
circle-http-advice = Open the address again with https:// in front.
circle-not-kept = You signed in, but your browser does not send the cookie of your session back.
circle-not-kept-advice = Delete the cookies of this site, close its other windows, and try again.
circle-doubled = Your browser sends the cookie of your session twice, so we cannot tell which one is right.
circle-doubled-advice = Delete the cookies of this site and try again.
circle-not-known = You signed in, but the server that has your page does not know your session.
circle-not-known-advice = This is not your mistake. Trying again may help for a moment only.
circle-clock = You signed in, but for one of our servers your session lies in another time: a clock is wrong.
circle-clock-advice = This is not your mistake. Trying again may help for a moment only.
circle-ended = You signed in, but your session is ended again at once.
circle-ended-advice = This is not your mistake. Trying again may help for a moment only.
circle-application = You are signed in, but the page you want to open sends you back to sign-in.
circle-application-advice = This is not your mistake. Other pages may still work.
circle-https = You came over https, but our server is told that you did not, and sends you there again and again.
circle-https-advice = This is not your mistake, and there is nothing that you can change.
circle-ask = If it happens again, give the reference below to: { $contact }
circle-ask-nobody = If it happens again, give the reference below to the people who gave you your account.
not-sent-title = Not sent
not-sent-lead = Your session had ended, so what you sent was not passed on.
not-sent-advice = Go back: what you wrote is usually still there. Copy it, sign in, and send it again. A file has to be chosen again.
in-frame-lead = Sign in to see what belongs here.
interrupted-title = Your session has ended
interrupted-lead = It ended while what you sent was under way. We do not know whether it was saved.
interrupted-advice = Sign in and look whether it is there before you send it again.

## Refusals and errors: what happened, and what to do

bad-request-title = This request was not understood
bad-request-lead = Something in the address or in what was sent is not right.
bad-request-advice = Go back and try again. If it happens again, ask for help and give the reference below.
form-refused-title = Please open the page again
form-refused-lead = What you sent did not come from a page of this site, so for your safety it was not accepted.
form-refused-advice = Open the sign-in page and try again.
denied-title = Not available
denied-lead = This address cannot be opened from here.
denied-advice = If you think it should, ask for help and give the reference below.
not-found-title = Page not found
not-found-lead = There is nothing at this address.
not-found-advice = Check the address, or go to the start page.
method-title = This cannot be done here
method-lead = The address exists, but not for this kind of request.
method-advice = Go back and try again from the page you came from.
too-large-title = Too large
too-large-lead = What you sent is larger than this page accepts.
too-large-advice = Send less, or ask for help.
uri-too-long-title = The address is too long
uri-too-long-lead = This address is longer than what is accepted here.
uri-too-long-advice = Open the start page and find your way from there.
misdirected-title = Nothing is here under this name
misdirected-lead = This server does not answer for the host in the address.
misdirected-advice = Check the address. If it is right, ask for help and give the reference below.
busy-title = Too many requests
busy-lead = More requests came from your network than can be answered.
busy-advice = Wait a little and try again.
headers-title = Too much in the request
headers-lead = Your browser sent more cookies or other data than is accepted.
headers-advice = Delete the cookies of this site and try again.
internal-title = Something went wrong
internal-lead = This is our mistake, not yours.
internal-advice = Try again in a minute. If it happens again, ask for help and give the reference below.
bad-gateway-title = The application does not answer
bad-gateway-lead = You are in the right place, but the application behind this page could not be reached.
bad-gateway-advice = Try again in a minute.
sign-in-unavailable-title = Signing in does not work right now
sign-in-unavailable-lead = A part that we need for signing in does not answer. Nothing is wrong with your account.
sign-in-unavailable-advice = Try again in a minute.
unavailable-title = Not available right now
unavailable-lead = The application cannot take your request at the moment.
unavailable-advice = Try again in a minute.
gateway-timeout-title = The application takes too long
gateway-timeout-lead = The application behind this page did not answer in time.
gateway-timeout-advice = Try again in a minute. Before you send a form again, look whether it was saved.
start-page = Go to the start page
open-sign-in = Open the sign-in page
