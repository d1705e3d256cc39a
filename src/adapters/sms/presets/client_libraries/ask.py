"""Asks the vendors' own client libraries for one SMS each, and prints the requests that they would send, as JSON.

Nothing goes out: what a library hands to its HTTP client is written down there, and an error is given back.
Arguments: the number (E.164), the sender, the text, the account, the secret.
"""

import json
import sys
from urllib.parse import parse_qsl, urlsplit

import httpx
import urllib3

NUMBER, SENDER, TEXT, ACCOUNT, SECRET = sys.argv[1:]
DIGITS = NUMBER.lstrip("+")


class Written(Exception):
    """The request has been written down."""


written = {}
asked = None


def write_down(method, url, headers, body):
    """Keeps the first request of the library that is being asked, and goes no further."""
    headers = {name.lower(): value if isinstance(value, str) else value.decode() for name, value in headers.items()}
    if isinstance(body, bytes):
        body = body.decode()
    kind = headers.get("content-type", "").split(";")[0]
    if kind == "application/x-www-form-urlencoded":
        fields = dict(parse_qsl(body, keep_blank_values=True)) if isinstance(body, str) else dict(body)
    else:
        fields = json.loads(body)
    address = urlsplit(url)
    written.setdefault(
        asked,
        {
            "method": method,
            "url": f"{address.scheme}://{address.hostname}{address.path}",
            "query": dict(parse_qsl(address.query)),
            "kind": kind,
            "authorization": headers["authorization"],
            "amz_date": headers.get("x-amz-date"),
            "amz_target": headers.get("x-amz-target"),
            "fields": fields,
        },
    )
    raise Written


def urlopen(pool, method, url, body=None, headers=None, **_):
    port = "" if pool.port in (None, 80, 443) else f":{pool.port}"
    write_down(method, f"{pool.scheme}://{pool.host}{port}{url}", dict(headers or {}), body)


urllib3.connectionpool.HTTPConnectionPool.urlopen = urlopen
httpx.HTTPTransport.handle_request = lambda _, request: write_down(
    request.method, str(request.url), request.headers, request.read()
)


def twilio():
    from twilio.rest import Client

    Client(ACCOUNT, SECRET).messages.create(to=NUMBER, from_=SENDER, body=TEXT)


def vonage():
    from vonage_http_client import Auth, HttpClient
    from vonage_sms import Sms, SmsMessage

    client = HttpClient(Auth(api_key=ACCOUNT, api_secret=SECRET))
    Sms(client).send(SmsMessage(to=DIGITS, from_=SENDER, text=TEXT, type="text"))


def vonage_messages():
    from vonage_http_client import Auth, HttpClient
    from vonage_messages import Messages, Sms, SmsOptions

    client = HttpClient(Auth(api_key=ACCOUNT, api_secret=SECRET))
    Messages(client).send(Sms(to=DIGITS, from_=SENDER, text=TEXT, sms=SmsOptions(encoding_type="auto")))


def messagebird():
    import messagebird

    messagebird.Client(SECRET).message_create(SENDER, [DIGITS], TEXT, {"datacoding": "auto"})


def sinch():
    from sinch import SinchClient

    client = SinchClient(service_plan_id=ACCOUNT, sms_api_token=SECRET, sms_region="eu")
    client.sms.batches.send_sms(to=[NUMBER], from_=SENDER, body=TEXT)


def infobip():
    from infobip_api_client import ApiClient, Configuration
    from infobip_api_client.api.sms_api import SmsApi
    from infobip_api_client.models import SmsDestination, SmsMessage, SmsMessageContent, SmsRequest, SmsTextContent

    configuration = Configuration(host="https://example.api.infobip.com", api_key=SECRET)
    message = SmsMessage(
        sender=SENDER,
        destinations=[SmsDestination(to=DIGITS)],
        content=SmsMessageContent(actual_instance=SmsTextContent(text=TEXT)),
    )
    SmsApi(ApiClient(configuration)).send_sms_messages(SmsRequest(messages=[message]))


def plivo():
    import plivo

    plivo.RestClient(ACCOUNT, SECRET).messages.create(src=SENDER, dst=DIGITS, text=TEXT)


def telnyx():
    from telnyx import Telnyx

    Telnyx(api_key=SECRET, max_retries=0).messages.send(to=NUMBER, from_=SENDER, text=TEXT, type="SMS")


def clicksend():
    import clicksend as library
    from clicksend.api import SmsApi
    from clicksend.models import SendSmsRequest, SendSmsRequestMessagesInner

    api = SmsApi(library.ApiClient(library.Configuration(username=ACCOUNT, password=SECRET)))
    message = SendSmsRequestMessagesInner.from_dict(
        {"source": "vestibule", "body": TEXT, "to": NUMBER, "from": SENDER}
    )
    api.send_sms(send_sms_request=SendSmsRequest(messages=[message]))


def smsapi():
    from smsapi.client import SmsApiComClient

    SmsApiComClient(access_token=SECRET).sms.send(to=DIGITS, message=TEXT, from_=SENDER, encoding="utf-8")


def aws():
    import botocore.session

    client = botocore.session.Session().create_client(
        "pinpoint-sms-voice-v2", region_name="eu-west-1", aws_access_key_id=ACCOUNT, aws_secret_access_key=SECRET
    )
    client.send_text_message(
        DestinationPhoneNumber=NUMBER, OriginationIdentity=SENDER, MessageBody=TEXT, MessageType="TRANSACTIONAL"
    )


LIBRARIES = [twilio, vonage, vonage_messages, messagebird, sinch, infobip, plivo, telnyx, clicksend, smsapi, aws]
for library in LIBRARIES:
    asked = library.__name__.replace("_", "-")
    try:
        library()
    except Exception as error:  # libraries wrap what their HTTP client raises
        if asked not in written:
            print(f"{asked}: {error!r}", file=sys.stderr)
            raise
json.dump(written, sys.stdout, indent=1)
