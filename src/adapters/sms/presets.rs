//! Descriptions of well-known vendors, as data: one file a vendor in `presets/`, in the form that an operator writes. What the operator
//! writes is laid over it. Floor: edge.

use super::check::Problem;
use super::settings::ProviderSettings;

/// Name and description. Codes and fields as in reference/sms §1 and §2, which names the vendor's own specification for each.
const PRESETS: [(&str, &str); 1] = [("twilio", include_str!("presets/twilio.json"))];

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
mod tests {
    use super::super::description::Description;
    use super::*;
    use serde_json::json;

    #[test]
    fn every_preset_is_right_once_it_has_account_and_secret() {
        for (name, _) in PRESETS {
            let settings = json!({ "name": "x", "preset": name, "account": "a", "secret": "s" });
            let read = Description::read(serde_json::from_value(settings).unwrap());
            assert!(read.is_ok(), "{name}: {read:?}");
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
