//! Descriptions of well-known vendors, as data: one file a vendor in `presets/`, in the form that an operator writes. What the operator
//! writes is laid over it. Floor: edge.

use super::check::Problem;
use super::settings::ProviderSettings;

/// Name and description, in the order of the alphabet. What each vendor answers, and where that is published, stands in `presets/answers/`.
/// A code that a vendor uses for the number and for our own mistakes alike is left to mean the vendor: giving up a number keeps a person out.
const PRESETS: [(&str, &str); 15] = [
    ("aws", include_str!("presets/aws.json")),
    ("bird", include_str!("presets/bird.json")),
    ("clicksend", include_str!("presets/clicksend.json")),
    ("infobip", include_str!("presets/infobip.json")),
    ("kannel", include_str!("presets/kannel.json")),
    ("messagebird", include_str!("presets/messagebird.json")),
    ("ovh", include_str!("presets/ovh.json")),
    ("plivo", include_str!("presets/plivo.json")),
    ("seven", include_str!("presets/seven.json")),
    ("sinch", include_str!("presets/sinch.json")),
    ("smsapi", include_str!("presets/smsapi.json")),
    ("telnyx", include_str!("presets/telnyx.json")),
    ("twilio", include_str!("presets/twilio.json")),
    ("vonage", include_str!("presets/vonage.json")),
    ("vonage-messages", include_str!("presets/vonage-messages.json")),
];

/// `settings` with the preset they name beneath them: their keys win; of `json`, `form` and `query` theirs replaces the preset's; `headers` and
/// variables are united; their `errors` are asked first.
pub(super) fn beneath(settings: ProviderSettings, problems: &mut Vec<Problem>) -> ProviderSettings {
    let Some(name) = &settings.preset else {
        return settings;
    };
    let Some((_, text)) = PRESETS.iter().find(|(known, _)| known == name) else {
        let known: Vec<&str> = PRESETS.iter().map(|(known, _)| *known).collect();
        problems
            .push(Problem::new("preset", format!("is `{name}`, which is not known; known are {}", known.join(", "))));
        return settings;
    };
    let preset: ProviderSettings =
        serde_json::from_str(text).expect("presets come with the program, and a test reads each");
    laid_over(settings, preset)
}

fn laid_over(own: ProviderSettings, preset: ProviderSettings) -> ProviderSettings {
    let has_own_body = own.json.is_some() || own.form.is_some() || own.query.is_some();
    let (json, form, query) =
        if has_own_body { (own.json, own.form, own.query) } else { (preset.json, preset.form, preset.query) };
    ProviderSettings {
        name: own.name,
        preset: own.preset,
        account: own.account.or(preset.account),
        secret: own.secret.or(preset.secret),
        method: own.method.or(preset.method),
        url: own.url.or(preset.url),
        auth: own.auth.or(preset.auth),
        headers: preset.headers.into_iter().chain(own.headers).collect(),
        json,
        form,
        query,
        to_format: own.to_format.or(preset.to_format),
        sender: own.sender.or(preset.sender),
        senders: preset.senders.into_iter().chain(own.senders).collect(),
        success: own.success.or(preset.success),
        message_id: own.message_id.or(preset.message_id),
        errors: own.errors.into_iter().chain(preset.errors).collect(),
        vars: preset.vars.into_iter().chain(own.vars).collect(),
        secrets: preset.secrets.into_iter().chain(own.secrets).collect(),
        countries: own.countries,
        ca_file: own.ca_file,
        allow_insecure: own.allow_insecure,
        connect_timeout: own.connect_timeout.or(preset.connect_timeout),
        timeout: own.timeout.or(preset.timeout),
    }
}

#[cfg(test)]
mod client_libraries_tests;

#[cfg(test)]
mod tests {
    use super::super::description::Description;
    use super::super::settings::ErrorClass;
    use super::super::verdict::{Answer, Verdict};
    use super::*;
    use serde_json::json;

    const ANSWERS: [(&str, &str); 15] = [
        ("aws", include_str!("presets/answers/aws.json")),
        ("bird", include_str!("presets/answers/bird.json")),
        ("clicksend", include_str!("presets/answers/clicksend.json")),
        ("infobip", include_str!("presets/answers/infobip.json")),
        ("kannel", include_str!("presets/answers/kannel.json")),
        ("messagebird", include_str!("presets/answers/messagebird.json")),
        ("ovh", include_str!("presets/answers/ovh.json")),
        ("plivo", include_str!("presets/answers/plivo.json")),
        ("seven", include_str!("presets/answers/seven.json")),
        ("sinch", include_str!("presets/answers/sinch.json")),
        ("smsapi", include_str!("presets/answers/smsapi.json")),
        ("telnyx", include_str!("presets/answers/telnyx.json")),
        ("twilio", include_str!("presets/answers/twilio.json")),
        ("vonage", include_str!("presets/answers/vonage.json")),
        ("vonage-messages", include_str!("presets/answers/vonage-messages.json")),
    ];

    /// One recorded answer.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Recorded {
        status: u16,
        /// A text as it is; anything else as JSON.
        body: serde_json::Value,
        means: String,
        message_id: Option<String>,
        /// Where it is published, or `unverified`.
        source: String,
    }

    fn described(name: &str) -> Description {
        let vars = match name {
            "bird" | "infobip" => json!({ "host": "api.example" }),
            "ovh" => json!({ "login": "l" }),
            _ => json!({}),
        };
        let settings = json!({ "name": "x", "preset": name, "account": "a", "secret": "s", "vars": vars });
        let read = Description::read(serde_json::from_value(settings).unwrap());
        read.unwrap_or_else(|problems| panic!("{name}: {problems:?}"))
    }

    #[test]
    fn every_preset_is_right_once_it_has_what_the_operator_knows() {
        for (name, _) in PRESETS {
            assert!(described(name).uses_sender(), "{name}");
        }
    }

    #[test]
    fn every_recorded_answer_is_read_for_what_it_means() {
        assert_eq!(PRESETS.map(|(name, _)| name), ANSWERS.map(|(name, _)| name));
        for (name, text) in ANSWERS {
            let rules = described(name).rules;
            let recorded: Vec<Recorded> = serde_json::from_str(text).unwrap();
            for needed in ["accepted", "provider", "transient"] {
                assert!(recorded.iter().any(|answer| answer.means == needed), "{name}: {needed}");
            }
            for Recorded { status, body, means, message_id, source } in recorded {
                assert!(source.len() >= 8, "{name}: {status} has no source");
                let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                let expected = match means.as_str() {
                    "accepted" => Verdict::Accepted { message_id },
                    "recipient" => Verdict::Refused(ErrorClass::Recipient),
                    "provider" => Verdict::Refused(ErrorClass::Provider),
                    "transient" => Verdict::Refused(ErrorClass::Transient),
                    other => panic!("{name}: {other} is no class"),
                };
                let judged = rules.judge(&Answer { status, body: Some(body.clone().into_bytes()) });
                assert_eq!(judged, expected, "{name}: {status} {body}");
            }
        }
    }

    #[test]
    fn a_preset_says_which_variable_it_lacks() {
        for (name, lacks) in [("infobip", "host"), ("bird", "host"), ("ovh", "login")] {
            let settings = json!({ "name": "x", "preset": name, "account": "a", "secret": "s" });
            let problems = Description::read(serde_json::from_value(settings).unwrap()).unwrap_err();
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(
                told.iter().any(|text| text.contains(&format!("${{{lacks}}}")) && text.contains("`vars`")),
                "{name}: {told:?}"
            );
        }
    }

    #[test]
    fn the_operators_keys_lie_over_the_preset() {
        let own = serde_json::from_value(json!({ "name": "x", "preset": "twilio", "json": { "a": 1 }, "errors": [{ "class": "transient", "status": [418] }] })).unwrap();
        let mut problems = Vec::new();
        let merged = beneath(own, &mut problems);
        assert!(problems.is_empty());
        assert!(merged.form.is_none() && merged.json.is_some());
        assert!(merged.url.is_some_and(|url| url.contains("twilio")));
        assert_eq!(merged.errors.len(), 4);
        assert_eq!(merged.errors[0].status[0].first, 418);
    }
}
