//! The signed assertion: a JWT (RFC 7519) by which an upstream can tell that a request came through us, who asks, and how that person
//! signed in. And the key set (RFC 7517) it is verified with. Keeps none and reads no clock. Floor: ground.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::keys::Keys;
use super::session::{Factors, Session};
use super::time::UnixMillis;

/// How long an assertion is good: what is copied from a log or a crash report is worth nothing a minute later (security I2).
pub const LIFETIME: Duration = Duration::from_secs(60);
/// The one algorithm: Ed25519, by the name that libraries know (RFC 8037 §3.1).
const ALGORITHM: &str = "EdDSA";

/// Signs who `session` is for the site at `site_url`, under the first key. `iss` and `aud` are both the site: there it was signed in, and
/// there alone it counts.
#[must_use]
pub fn sign(session: &Session, site_url: &str, keys: &Keys, now: UnixMillis) -> String {
    let jti: [u8; 16] = rand::random();
    let head = json!({ "alg": ALGORITHM, "kid": keys.first_key_id(), "typ": "JWT" });
    let claims = json!({
        "iss": site_url,
        "aud": site_url,
        "sub": session.user_name.as_str(),
        "iat": now.seconds(),
        "exp": now.plus(LIFETIME).seconds(),
        "jti": hex::encode(jti),
        "sid": session.id.to_string(),
        // The older of the two moments for whoever typed a code: never younger than what was shown.
        "auth_time": session.password_at.seconds(),
        "amr": methods(session.factors),
    });
    let mut token = format!("{}.{}", encoded(&head), encoded(&claims));
    let signature = keys.sign_assertion(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// The public halves of all signing keys, as a JSON Web Key Set. The first signs; the others may have signed, or will.
#[must_use]
pub fn key_set(keys: &Keys) -> String {
    let keys: Vec<Value> = keys
        .assertion_verifiers()
        .map(|(kid, public)| {
            json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "x": URL_SAFE_NO_PAD.encode(public),
                "kid": kid,
                "use": "sig",
                "alg": ALGORITHM,
            })
        })
        .collect();
    json!({ "keys": keys }).to_string()
}

/// By the names of RFC 8176.
fn methods(factors: Factors) -> &'static [&'static str] {
    match factors {
        Factors::Password => &["pwd"],
        Factors::PasswordAndCode => &["pwd", "sms"],
    }
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;
    use crate::domain::secret::SecretBytes;
    use crate::domain::session::tests::session;

    const SITE: &str = "https://app.example.com";

    fn keys(seeds: &[u8]) -> Keys {
        Keys::new(&seeds.iter().map(|seed| SecretBytes::new(vec![*seed; 32])).collect::<Vec<_>>()).unwrap()
    }

    fn part(token: &str, at: usize) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
    }

    /// The entry of the key set that the token's head names.
    fn entry_for(token: &str, keys: &Keys) -> Option<Value> {
        let set: Value = serde_json::from_str(&key_set(keys)).unwrap();
        set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == part(token, 0)["kid"]).cloned()
    }

    fn is_signed_by(token: &str, entry: &Value) -> bool {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let public = URL_SAFE_NO_PAD.decode(entry["x"].as_str().unwrap()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn it_says_who_signed_in_where_when_and_how() {
        let now = UnixMillis(1_700_000_000_999);
        let session =
            Session { password_at: UnixMillis(1_699_999_000_000), factors: Factors::PasswordAndCode, ..session(now) };
        let token = sign(&session, SITE, &keys(&[1]), now);
        assert_eq!(part(&token, 0)["alg"], "EdDSA");
        assert_eq!(part(&token, 0)["typ"], "JWT");
        let claims = part(&token, 1);
        assert_eq!(
            claims,
            json!({
                "iss": SITE, "aud": SITE, "sub": session.user_name.as_str(), "iat": 1_700_000_000, "exp": 1_700_000_060,
                "jti": claims["jti"], "sid": session.id.to_string(), "auth_time": 1_699_999_000,
                "amr": ["pwd", "sms"],
            })
        );
        let before = Session { factors: Factors::Password, ..session };
        assert_eq!(part(&sign(&before, SITE, &keys(&[1]), now), 1)["amr"], json!(["pwd"]));
    }

    #[test]
    fn no_two_have_one_name() {
        let session = session(UnixMillis(0));
        let name = || part(&sign(&session, SITE, &keys(&[1]), UnixMillis(0)), 1)["jti"].clone();
        assert_ne!(name(), name());
    }

    #[test]
    fn the_key_set_verifies_it_and_a_changed_one_fails() {
        let (one, now) = (keys(&[1]), UnixMillis(0));
        let token = sign(&session(now), SITE, &one, now);
        let entry = entry_for(&token, &one).unwrap();
        assert!(is_signed_by(&token, &entry));
        assert!(!is_signed_by(&token.replacen('e', "f", 1), &entry));
        let other = sign(&session(now), SITE, &keys(&[2]), now);
        assert!(!is_signed_by(&other, &entry), "another installation's");
    }

    #[test]
    fn an_added_key_is_published_before_it_signs_and_the_old_one_after() {
        let now = UnixMillis(0);
        let (old, added, moved) = (keys(&[1]), keys(&[1, 2]), keys(&[2, 1]));
        let by_old = sign(&session(now), SITE, &old, now);
        let by_new = sign(&session(now), SITE, &moved, now);
        for set in [&old, &added, &moved] {
            assert!(is_signed_by(&by_old, &entry_for(&by_old, set).unwrap()));
        }
        assert!(entry_for(&by_new, &old).is_none());
        for set in [&added, &moved] {
            assert!(is_signed_by(&by_new, &entry_for(&by_new, set).unwrap()));
        }
    }

    #[test]
    fn the_key_set_holds_nothing_secret() {
        let set: Value = serde_json::from_str(&key_set(&keys(&[1, 2]))).unwrap();
        for key in set["keys"].as_array().unwrap() {
            let members: Vec<&String> = key.as_object().unwrap().keys().collect();
            assert_eq!(members, ["kty", "crv", "x", "kid", "use", "alg"]);
        }
    }
}
