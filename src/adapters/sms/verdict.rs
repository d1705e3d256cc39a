//! What a vendor's answer means, by the rules of its description. Pure: has the answer already, asks nobody. Floor: edge.

use regex::Regex;
use serde_json::Value;

use super::check::Problem;
use super::settings::{ErrorClass, ErrorRule, JsonCondition, MessageId, ProviderSettings, Scalar, StatusRange};

/// The rules of one vendor.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    success: Conditions,
    message_id: Option<IdPlace>,
    errors: Vec<(ErrorClass, Conditions)>,
}

/// An answer as far as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `None` when it broke off or is longer than we read.
    pub(super) body: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The vendor took it. The id is the vendor's own, fit for a log.
    Accepted {
        message_id: Option<String>,
    },
    Refused(ErrorClass),
    /// The status says yes, and what would confirm it cannot be read.
    Unclear,
}

impl Rules {
    pub(super) fn read(settings: &ProviderSettings, problems: &mut Vec<Problem>) -> Self {
        let given = settings.success.clone().unwrap_or_default();
        let mut success = Conditions::read(&given.status, &given.json, given.regex.as_deref(), "success", problems);
        if success.status.is_empty() {
            success.status.push(StatusRange { first: 200, last: 299 });
        }
        let message_id = settings.message_id.as_ref().and_then(|place| IdPlace::read(place, problems));
        let errors = settings.errors.iter().enumerate();
        let errors =
            errors.map(|(n, rule)| (rule.class, error_conditions(rule, &format!("errors[{n}]"), problems))).collect();
        Self { success, message_id, errors }
    }

    pub(super) fn judge(&self, answer: &Answer) -> Verdict {
        let text = answer.body.as_deref().map(String::from_utf8_lossy);
        let json: Option<Value> = answer.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        let seen = Seen { status: answer.status, text: text.as_deref(), json: json.as_ref() };
        if self.success.status_fits(answer.status) {
            if !self.success.can_read(&seen) {
                return Verdict::Unclear;
            }
            if self.success.hold(&seen) {
                return Verdict::Accepted { message_id: self.message_id.as_ref().and_then(|place| place.find(&seen)) };
            }
        }
        Verdict::Refused(self.class_of(&seen))
    }

    fn class_of(&self, seen: &Seen<'_>) -> ErrorClass {
        if let Some((class, _)) = self.errors.iter().find(|(_, conditions)| conditions.hold(seen)) {
            return *class;
        }
        match seen.status {
            429 | 500..=599 => ErrorClass::Transient,
            _ => ErrorClass::Provider,
        }
    }
}

struct Seen<'a> {
    status: u16,
    text: Option<&'a str>,
    json: Option<&'a Value>,
}

/// All that is given has to hold.
#[derive(Clone, Debug)]
struct Conditions {
    /// Any, when empty.
    status: Vec<StatusRange>,
    json: Vec<(String, Test)>,
    regex: Option<Regex>,
}

#[derive(Clone, Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Conditions {
    fn read(
        status: &[StatusRange],
        json: &[JsonCondition],
        regex: Option<&str>,
        at: &str,
        problems: &mut Vec<Problem>,
    ) -> Self {
        for (n, range) in status.iter().enumerate() {
            if !(100..=599).contains(&range.first) || !(100..=599).contains(&range.last) || range.first > range.last {
                problems.push(Problem::new(format!("{at}.status[{n}]"), "is no status; write 200 or \"200-299\""));
            }
        }
        let json = json.iter().enumerate();
        let json = json.filter_map(|(n, condition)| test(condition, &format!("{at}.json[{n}]"), problems)).collect();
        let regex = regex.and_then(|pattern| read_regex(pattern, &format!("{at}.regex"), problems));
        Self { status: status.to_vec(), json, regex }
    }

    fn status_fits(&self, status: u16) -> bool {
        self.status.is_empty() || self.status.iter().any(|range| (range.first..=range.last).contains(&status))
    }

    /// Whether what the conditions ask about is there to be read at all.
    fn can_read(&self, seen: &Seen<'_>) -> bool {
        let json_is_there = self.json.is_empty() || seen.json.is_some();
        let text_is_there = self.regex.is_none() || seen.text.is_some();
        json_is_there && text_is_there
    }

    fn hold(&self, seen: &Seen<'_>) -> bool {
        self.status_fits(seen.status)
            && self.json.iter().all(|(pointer, test)| seen.json.is_some_and(|json| test.holds(json.pointer(pointer))))
            && self.regex.as_ref().is_none_or(|regex| seen.text.is_some_and(|text| regex.is_match(text)))
    }
}

impl Test {
    fn holds(&self, found: Option<&Value>) -> bool {
        let found = found.filter(|value| !value.is_null());
        match self {
            Self::In(wanted) => found.and_then(scalar_text).is_some_and(|text| wanted.contains(&text)),
            Self::NotIn(unwanted) => found.and_then(scalar_text).is_some_and(|text| !unwanted.contains(&text)),
            Self::Exists => found.is_some(),
            Self::Absent => found.is_none(),
        }
    }
}

/// Vendors write the same code as `"0"`, `0` and `100`: scalars are compared as text.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text_of(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

fn error_conditions(rule: &ErrorRule, at: &str, problems: &mut Vec<Problem>) -> Conditions {
    if rule.status.is_empty() && rule.json.is_empty() && rule.regex.is_none() {
        problems.push(Problem::new(at, "fits every answer; give `status`, `json` or `regex`"));
    }
    Conditions::read(&rule.status, &rule.json, rule.regex.as_deref(), at, problems)
}

fn test(condition: &JsonCondition, at: &str, problems: &mut Vec<Problem>) -> Option<(String, Test)> {
    check_pointer(&condition.pointer, &format!("{at}.pointer"), problems);
    let texts = |scalars: &Vec<Scalar>| scalars.iter().map(text_of).collect();
    let there = |there: bool| if there { Test::Exists } else { Test::Absent };
    let tests = [
        condition.is_in.as_ref().map(|wanted| Test::In(texts(wanted))),
        condition.not_in.as_ref().map(|unwanted| Test::NotIn(texts(unwanted))),
        condition.exists.map(there),
        condition.absent.map(|absent| there(!absent)),
    ];
    let mut given = tests.into_iter().flatten();
    let (first, second) = (given.next(), given.next());
    if first.is_none() || second.is_some() {
        problems.push(Problem::new(at, "takes exactly one of `in`, `not_in`, `exists` and `absent`"));
    }
    first.map(|test| (condition.pointer.clone(), test))
}

fn check_pointer(pointer: &str, at: &str, problems: &mut Vec<Problem>) {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        problems.push(Problem::new(at, "is no JSON pointer; one begins with `/`, as in `/messages/0/status`"));
    }
}

fn read_regex(pattern: &str, at: &str, problems: &mut Vec<Problem>) -> Option<Regex> {
    Regex::new(pattern)
        .map_err(|error| problems.push(Problem::new(at, format!("is no regular expression: {error}"))))
        .ok()
}

#[derive(Clone, Debug)]
enum IdPlace {
    Pointer(String),
    Regex(Regex),
}

impl IdPlace {
    fn read(place: &MessageId, problems: &mut Vec<Problem>) -> Option<Self> {
        match place {
            MessageId::Pointer(pointer) => {
                check_pointer(pointer, "message_id.pointer", problems);
                Some(Self::Pointer(pointer.clone()))
            }
            MessageId::Regex(pattern) => read_regex(pattern, "message_id.regex", problems).map(Self::Regex),
        }
    }

    /// Only what looks like an id: the answer is the vendor's, and a log line is not the place for its prose.
    fn find(&self, seen: &Seen<'_>) -> Option<String> {
        let found = match self {
            Self::Pointer(pointer) => seen.json?.pointer(pointer).and_then(scalar_text),
            Self::Regex(regex) => {
                let groups = regex.captures(seen.text?)?;
                groups.get(1).or_else(|| groups.get(0)).map(|found| found.as_str().to_owned())
            }
        }?;
        let is_id = (1..=64).contains(&found.len())
            && found.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'='));
        is_id.then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(settings: Value) -> Rules {
        let (settings, mut problems) = (serde_json::from_value(settings).unwrap(), Vec::new());
        let rules = Rules::read(&settings, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        rules
    }

    fn answer(status: u16, body: impl ToString) -> Answer {
        Answer { status, body: Some(body.to_string().into_bytes()) }
    }

    fn accepted(id: &str) -> Verdict {
        Verdict::Accepted { message_id: (!id.is_empty()).then(|| id.to_owned()) }
    }

    #[test]
    fn without_rules_the_status_decides() {
        let rules = rules(json!({}));
        let cases = [
            (200, accepted("")),
            (299, accepted("")),
            (302, Verdict::Refused(ErrorClass::Provider)),
            (400, Verdict::Refused(ErrorClass::Provider)),
            (401, Verdict::Refused(ErrorClass::Provider)),
            (402, Verdict::Refused(ErrorClass::Provider)),
            (403, Verdict::Refused(ErrorClass::Provider)),
            (429, Verdict::Refused(ErrorClass::Transient)),
            (500, Verdict::Refused(ErrorClass::Transient)),
            (503, Verdict::Refused(ErrorClass::Transient)),
        ];
        for (status, expected) in cases {
            assert_eq!(rules.judge(&answer(status, "whatever")), expected, "{status}");
        }
        assert_eq!(rules.judge(&Answer { status: 201, body: None }), accepted(""));
    }

    #[test]
    fn a_200_that_says_no_is_a_refusal() {
        let clicksend = rules(json!({
            "success": { "json": [{ "pointer": "/data/messages/0/status", "in": ["SUCCESS"] }] },
            "message_id": { "pointer": "/data/messages/0/message_id" },
            "errors": [{ "class": "recipient", "json": [{ "pointer": "/data/messages/0/status", "in": ["INVALID_RECIPIENT"] }] }],
        }));
        let says = |status: &str| {
            answer(
                200,
                json!({ "response_code": "SUCCESS", "data": { "messages": [{ "status": status, "message_id": "A-1" }] } }),
            )
        };
        assert_eq!(clicksend.judge(&says("SUCCESS")), accepted("A-1"));
        assert_eq!(clicksend.judge(&says("INVALID_RECIPIENT")), Verdict::Refused(ErrorClass::Recipient));
        assert_eq!(clicksend.judge(&says("INSUFFICIENT_CREDIT")), Verdict::Refused(ErrorClass::Provider));
        assert_eq!(clicksend.judge(&answer(200, "<html>sign in to our wifi</html>")), Verdict::Unclear);
        assert_eq!(clicksend.judge(&Answer { status: 200, body: None }), Verdict::Unclear);
        assert_eq!(clicksend.judge(&answer(500, "<html>")), Verdict::Refused(ErrorClass::Transient));
    }

    #[test]
    fn numbers_and_texts_are_the_same() {
        for wanted in [json!("0"), json!(0)] {
            let rules = rules(json!({ "success": { "json": [{ "pointer": "/s", "in": [wanted] }] } }));
            for said in [json!("0"), json!(0)] {
                assert_eq!(rules.judge(&answer(200, json!({ "s": said }))), accepted(""));
            }
        }
        let seven = rules(json!({ "success": { "json": [{ "pointer": "/success", "in": [100] }] },
            "errors": [{ "class": "transient", "json": [{ "pointer": "", "in": ["600"] }] }] }));
        assert_eq!(seven.judge(&answer(200, "600")), Verdict::Refused(ErrorClass::Transient));
        assert_eq!(seven.judge(&answer(200, "\"900\"")), Verdict::Refused(ErrorClass::Provider));
    }

    #[test]
    fn null_is_as_good_as_absent() {
        let rules = rules(
            json!({ "success": { "json": [{ "pointer": "/error", "absent": true }, { "pointer": "/id", "exists": true }] } }),
        );
        assert_eq!(rules.judge(&answer(200, json!({ "error": null, "id": 1 }))), accepted(""));
        assert_eq!(rules.judge(&answer(200, json!({ "error": 13, "id": 1 }))), Verdict::Refused(ErrorClass::Provider));
        assert_eq!(rules.judge(&answer(200, json!({ "id": null }))), Verdict::Refused(ErrorClass::Provider));
    }

    #[test]
    fn not_in_asks_for_something_that_is_there() {
        let rules = rules(json!({ "success": { "json": [{ "pointer": "/status", "not_in": ["failed"] }] } }));
        assert_eq!(rules.judge(&answer(200, json!({ "status": "queued" }))), accepted(""));
        for no in [json!({ "status": "failed" }), json!({}), json!({ "status": ["queued"] })] {
            assert_eq!(rules.judge(&answer(200, no)), Verdict::Refused(ErrorClass::Provider));
        }
    }

    #[test]
    fn text_answers_are_read_by_regex() {
        let kannel = rules(
            json!({ "success": { "status": [202], "regex": "^[03]: " }, "message_id": { "regex": "<MessageId>([^<]+)" } }),
        );
        assert_eq!(
            kannel.judge(&answer(202, "0: Accepted for delivery <MessageId>ab-1</MessageId>")),
            accepted("ab-1")
        );
        assert_eq!(kannel.judge(&answer(202, "4: no")), Verdict::Refused(ErrorClass::Provider));
        assert_eq!(kannel.judge(&answer(200, "0: Accepted")), Verdict::Refused(ErrorClass::Provider));
        assert_eq!(kannel.judge(&Answer { status: 202, body: None }), Verdict::Unclear);
    }

    #[test]
    fn the_first_rule_that_fits_wins() {
        let rules = rules(json!({ "errors": [
            { "class": "recipient", "status": ["400-404"], "json": [{ "pointer": "/code", "in": [21211] }] },
            { "class": "transient", "status": [400] },
        ] }));
        assert_eq!(rules.judge(&answer(400, json!({ "code": 21211 }))), Verdict::Refused(ErrorClass::Recipient));
        assert_eq!(rules.judge(&answer(400, json!({ "code": 1 }))), Verdict::Refused(ErrorClass::Transient));
        assert_eq!(rules.judge(&answer(401, "x")), Verdict::Refused(ErrorClass::Provider));
    }

    #[test]
    fn prose_is_no_message_id() {
        let rules = rules(json!({ "message_id": { "pointer": "/id" } }));
        for id in ["has blanks", "", "line\nbreak", &"x".repeat(65)] {
            assert_eq!(rules.judge(&answer(200, json!({ "id": id }))), accepted(""));
        }
        assert_eq!(rules.judge(&answer(200, json!({ "id": "SM123_a=" }))), accepted("SM123_a="));
    }

    #[test]
    fn mistakes_in_rules_are_all_reported() {
        let settings = serde_json::from_value(json!({
            "success": { "status": [700, "300-200"], "regex": "(", "json": [{ "pointer": "a", "in": ["1"], "exists": true }, { "pointer": "/b" }] },
            "errors": [{ "class": "provider" }],
            "message_id": { "pointer": "sid" },
        }))
        .unwrap();
        let mut problems = Vec::new();
        Rules::read(&settings, &mut problems);
        let mut keys: Vec<&str> = problems.iter().map(|p| p.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "errors[0]",
                "message_id.pointer",
                "success.json[0]",
                "success.json[0].pointer",
                "success.json[1]",
                "success.regex",
                "success.status[0]",
                "success.status[1]"
            ]
        );
    }
}
