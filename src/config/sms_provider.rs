//! `sms.providers[]`: how a vendor is spoken to, read into the settings of the adapter; the adapter says what is wrong with the whole.
//! Floor: roof.

use super::authority_file;
use super::collections::List;
use super::declared::Presence;
use super::node::{Node, Slot};
use super::scalar::Scalar;
use super::sms::{Provider, sender};
use crate::adapters::sms::description::Description;
use crate::adapters::sms::settings::{
    Auth, ErrorClass, ErrorRule, JsonCondition, MessageId, Method, NumberFormat, ProviderSettings, Scalar as AnyScalar,
    StatusRange, Success,
};

/// A text with `${variables}` in it.
const MOST_TEMPLATE_CHARACTERS: usize = 4096;

pub(super) fn read(slot: Slot<'_>) -> Provider {
    slot.section(|node| {
        let settings = read_settings(node);
        if settings.preset.as_deref() == Some("terminal") {
            Provider::Terminal { name: settings.name }
        } else {
            Provider::Vendor(Box::new(settings))
        }
    })
}

/// What the adapter finds wrong with one description, and a sender that is used and not given.
pub(super) fn check(node: &Node<'_>, index: usize, settings: &ProviderSettings, has_sender: bool) {
    if !node.reading().is_as_given(&node.path(&format!("providers[{index}]"))) {
        return; // what the adapter finds wrong with stand-ins is nobody's mistake
    }
    let key = |key: &str| format!("providers[{index}].{key}");
    match Description::read(settings.clone()) {
        Ok(description) => {
            if description.uses_sender() && !has_sender && settings.sender.is_none() {
                node.refuse(
                    "sender",
                    &[&key("sender")],
                    format!("it is missing, and {} sends it", settings.name),
                    "a name or number that SMS come from",
                );
            }
        }
        Err(problems) => {
            for problem in problems {
                let (wrong, right) = problem
                    .message
                    .split_once("; ")
                    .unwrap_or((&problem.message, "a description as in `vestibule config reference`"));
                node.refuse(&key(&problem.key), &[], wrong, right);
            }
        }
    }
}

fn read_settings(node: &Node<'_>) -> ProviderSettings {
    ProviderSettings {
        name: node.key("name", "What logs and `vestibule sms test` call it.").text(40).required("house-gateway"),
        preset: node
            .key(
                "preset",
                "A vendor whose description comes with the program: then `account` and `secret` are enough, and any other key changes what the preset \
                 says. `docs/sms-providers.md` lists them. `terminal` writes the SMS on the terminal, for trying things out on your own machine.",
            )
            .text(40)
            .maybe("twilio"),
        account: node.key("account", "What `${account}` stands for: your account at the vendor.").text(200).maybe("AC0123456789"),
        secret: node.key("secret", "What `${secret}` stands for: your password or token there.").secret().maybe("{ file: /run/secrets/sms }"),
        method: node.key("method", "Left out: POST.").choice(&[("GET", Method::Get), ("POST", Method::Post)]).suggested("POST"),
        url: node
            .key(
                "url",
                "Where requests go. Texts here and below may hold ${to}, ${to_digits}, ${text}, ${code}, ${sender}, ${app}, ${lang}, ${is_unicode}, \
                 ${uuid}, ${country}, and variables of your own.",
            )
            .text(MOST_TEMPLATE_CHARACTERS)
            .suggested("https://sms.internal.example/send"),
        auth: node.key("auth", "How the vendor knows that it is you: one of these.").suggested_section(read_auth).flatten(),
        headers: node
            .key("headers", "Further headers of the request.")
            .map("X-Department", |_, slot| slot.text(MOST_TEMPLATE_CHARACTERS).required("marketing")),
        json: node
            .key("json", "The body of the request: `json`, or `form` fields, or everything in the `query` of the URL.")
            .maybe_tree(Presence::Suggested("{ to: \"${to}\", text: \"${text}\" }")),
        form: node.key("form", "See `json`.").maybe_tree(Presence::Optional("{ To: \"${to}\", From: \"${sender}\", Body: \"${text}\" }")),
        query: node.key("query", "See `json`.").maybe_tree(Presence::Optional("{ to: \"${to_digits}\", text: \"${text}\" }")),
        to_format: node
            .key("to_format", "How ${to} is written: `e164` is +3247…, `digits` is 3247…, `00` is 003247…. Left out: e164.")
            .choice(&[("e164", NumberFormat::E164), ("digits", NumberFormat::Digits), ("00", NumberFormat::DoubleZero)])
            .maybe("e164"),
        sender: node.key("sender", "What ${sender} is for this vendor, in place of `sms.sender`.").text(16).parsed(SENDER, sender).maybe("Acme"),
        senders: node
            .key("senders", "What ${sender} is for numbers of a country.")
            .map("FR", |_, slot| slot.text(16).parsed(SENDER, sender).required("\"36105\"")),
        success: node
            .key("success", "When an answer means that the vendor took the message: all that is given has to hold. Left out: any status from 200 to 299.")
            .suggested_section(|node| Success {
                status: read_statuses(node).suggested("[200, 202]"),
                json: read_conditions(node),
                regex: read_regex(node, "regex", "Searched in the answer, for vendors that answer in XML or plain text."),
            }),
        message_id: node.key("message_id", "Where the vendor's own name for the message stands in its answer; for the log.").maybe_section(read_message_id).flatten(),
        errors: node
            .key(
                "errors",
                "What other answers mean; the first that fits. Left out: 429 and 5xx are transient, everything else is the provider's.",
            )
            .list(0, 100, read_error_rule)
            .or_empty(""),
        vars: node
            .key("vars", "Variables of your own, shown by `vestibule sms test --dry-run`.")
            .map("department", |_, slot| any_scalar(slot).required("marketing")),
        secrets: node
            .key("secrets", "Variables of your own that are never shown.")
            .map("token", |_, slot| slot.secret().required("{ file: /run/secrets/sms-token }")),
        countries: node
            .key("countries", "Only for numbers of these countries; left out: for all of `sms.countries`.")
            .list(0, 300, |slot| slot.country().required("BE").as_str().to_owned())
            .or_empty("[BE, NL]"),
        ca_file: authority_file::read(
            node,
            "PEM file with certificates that are believed besides the public ones.",
            "/etc/vestibule/house-ca.pem",
        ),
        allow_insecure: node
            .key("allow_insecure", "Allows http:// to another machine: codes then travel readable. Certificates are verified all the same.")
            .flag()
            .or("off"),
        connect_timeout: node.key("connect_timeout", "How long connecting may take. Left out: 3s.").duration("100ms", "20s").maybe("3s"),
        timeout: node.key("timeout", "How long all of it may take. Left out: 5s.").duration("500ms", "30s").maybe("5s"),
    }
}

const SENDER: &str = "up to eleven letters, digits and blanks, or a number in quotes";

fn read_auth(node: &Node<'_>) -> Option<Auth> {
    let value =
        |node: &Node<'_>, example| node.key("value", "The secret itself, or ${secret}.").secret().required(example);
    let name = |node: &Node<'_>, example| node.key("name", "Its name.").text(200).required(example);
    let bearer = node
        .key("bearer", "`Authorization: Bearer …` with this token.")
        .secret()
        .suggested("{ file: /run/secrets/sms }");
    let basic = node.key("basic", "`Authorization: Basic …` with these.").maybe_section(|node| Auth::Basic {
        user: node.key("user", "May be ${account}.").text(200).required("acme"),
        password: node.key("password", "May be ${secret}.").secret().required("{ file: /run/secrets/sms }"),
    });
    let header = node.key("header", "A header of the vendor's own.").maybe_section(|node| Auth::Header {
        name: name(node, "Authorization"),
        prefix: node
            .key("prefix", "Put before the value, blank included.")
            .text(40)
            .maybe("\"AccessKey \"")
            .unwrap_or_default(),
        value: value(node, "{ file: /run/secrets/sms }"),
    });
    let query =
        node.key("query", "A parameter in the URL. It may end up in the vendor's logs.").maybe_section(|node| {
            Auth::Query { name: name(node, "api_key"), value: value(node, "{ file: /run/secrets/sms }") }
        });
    let field = node.key("field", "A field beside the others.").maybe_section(|node| Auth::Field {
        name: name(node, "api_key"),
        value: value(node, "{ file: /run/secrets/sms }"),
    });
    let aws_sigv4 =
        node.key("aws_sigv4", "The request is signed as AWS wants it.").maybe_section(|node| Auth::AwsSigv4 {
            access_key: node.key("access_key", "Its id; may be ${account}.").text(200).required("AKIA0123456789"),
            secret_key: node.key("secret_key", "May be ${secret}.").secret().required("{ file: /run/secrets/sms }"),
            region: node.key("region", "Where it is sent to.").text(40).required("eu-west-1"),
            service: node.key("service", "The service's name in signatures.").text(40).required("sms-voice"),
        });
    let mut given = [bearer.map(Auth::Bearer), basic, header, query, field, aws_sigv4].into_iter().flatten();
    let auth = given.next();
    if given.next().is_some() {
        node.refuse(
            "",
            &[],
            "more than one way is given",
            "exactly one of bearer, basic, header, query, field, aws_sigv4",
        );
    }
    if auth.is_none() {
        node.refuse(
            "",
            &["bearer"],
            "no way is given",
            "one of bearer, basic, header, query, field, aws_sigv4; or no `auth` at all",
        );
    }
    auth
}

fn read_statuses<'a>(node: &'a Node<'_>) -> List<'a, StatusRange> {
    node.key("status", "The HTTP status is one of these.").list(0, 50, |slot| {
        any_scalar(slot)
            .parsed("a status such as 200 or \"200-299\"", |scalar| {
                let text = as_text(&scalar);
                let range: StatusRange = text.parse().map_err(|_| format!("{text:?} is no HTTP status"))?;
                if range.first < 100 || range.last > 599 || range.first > range.last {
                    Err(format!("{text:?} is no HTTP status"))
                } else {
                    Ok(range)
                }
            })
            .required("200")
    })
}

fn read_conditions(node: &Node<'_>) -> Vec<JsonCondition> {
    node.key("json", "What stands at a place in a JSON answer; all of these hold.")
        .list(0, 50, read_condition)
        .or_empty("")
}

fn read_condition(slot: Slot<'_>) -> JsonCondition {
    slot.section(|node| {
        let scalars = |key: &'static str, help| {
            let list = node.key(key, help).list(0, 100, |slot| any_scalar(slot).required("0")).or_empty("[0, queued]");
            node.gives(key).then_some(list)
        };
        JsonCondition {
            pointer: node.key("pointer", "The place, as in RFC 6901.").text(500).required("/messages/0/status"),
            is_in: scalars("in", "It is one of these, as text: 0 and \"0\" are the same."),
            not_in: scalars("not_in", "It is none of these."),
            exists: node.key("exists", "Something stands there.").flag().maybe("on"),
            absent: node.key("absent", "Nothing stands there.").flag().maybe("on"),
        }
    })
}

fn read_regex(node: &Node<'_>, key: &'static str, help: &'static str) -> Option<String> {
    node.key(key, help).text(1000).maybe("\"<status>OK</status>\"")
}

fn read_message_id(node: &Node<'_>) -> Option<MessageId> {
    let pointer = node.key("pointer", "A place in a JSON answer.").text(500).maybe("/sid");
    let regex = read_regex(node, "regex", "Its first group, or the whole match.");
    match (pointer, regex) {
        (Some(pointer), None) => Some(MessageId::Pointer(pointer)),
        (None, Some(regex)) => Some(MessageId::Regex(regex)),
        (None, None) | (Some(_), Some(_)) => {
            node.refuse("", &["pointer", "regex"], "not exactly one place is given", "either pointer or regex");
            None
        }
    }
}

fn read_error_rule(slot: Slot<'_>) -> ErrorRule {
    slot.section(|node| ErrorRule {
        class: node
            .key(
                "class",
                "`recipient`: this number cannot be texted, nobody else is asked. `provider`: our account there, the next one is asked and somebody has \
                 to look. `transient`: the next one is asked.",
            )
            .choice(&[("recipient", ErrorClass::Recipient), ("provider", ErrorClass::Provider), ("transient", ErrorClass::Transient)])
            .required("recipient"),
        status: read_statuses(node).or_empty("[400]"),
        json: read_conditions(node),
        regex: read_regex(node, "regex", "Searched in the answer."),
    })
}

/// Text, a number or a truth value, kept as what it is.
fn any_scalar(slot: Slot<'_>) -> Scalar<'_, AnyScalar> {
    slot.any_scalar().parsed("one text, number or truth value", |value| {
        serde_json::from_value::<AnyScalar>(value).map_err(|_| "this is no single value".to_owned())
    })
}

fn as_text(scalar: &AnyScalar) -> String {
    match scalar {
        AnyScalar::Bool(flag) => flag.to_string(),
        AnyScalar::Number(number) => number.to_string(),
        AnyScalar::Text(text) => text.clone(),
    }
}
