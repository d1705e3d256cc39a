//! Operators at their own address: who gets in (`doors`), what they may do and to whom (`deeds`), what they are told of SMS, the audit trail and the
//! activation (`figures`), and the pages in a real browser (`pages`) in every kind of window (`windows`).

mod deeds;
mod doors;
mod figures;
mod pages;
mod windows;

use crate::harness::children::free_port;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Plan, Stack};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use vestibule::domain::keys::Keys;
use vestibule::domain::secret::SecretBytes;
use vestibule::domain::session::Session;
use vestibule::domain::time::UnixMillis;

const OLGA: &str = "+32470111111";
const HUGO: &str = "+32471222222";
const ANNA: &str = "+32472333333";
const SESSION_COOKIE: &str = "vestibule-operator";

/// A stack with a place for operators: olga is an admin, hugo at the helpdesk, anna a user.
struct Office {
    stack: Stack,
    port: u16,
    olga: Account,
    hugo: Account,
    anna: Account,
}

impl Office {
    fn open() -> Self {
        Self::of(Plan::new())
    }

    fn of(plan: Plan) -> Self {
        let port = free_port();
        let admin = json!({ "listen": format!("127.0.0.1:{port}"), "url": format!("http://localhost:{port}") });
        let stack = plan.set("admin", admin).start();
        let olga = stack.add_account("olga", OLGA);
        let hugo = stack.add_account("hugo", HUGO);
        let anna = stack.add_account("anna", ANNA);
        stack.command(&["operator", "appoint", "olga", "--role", "admin", "--reason", "first"], "").done();
        stack.command(&["operator", "appoint", "hugo", "--role", "helpdesk", "--reason", "help"], "").done();
        Self { stack, port, olga, hugo, anna }
    }

    fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Somebody with an empty browser at the operators' address.
    fn somebody(&self) -> Person {
        Person::new(&self.url(), self.port, self.stack.evidence().clone())
    }

    /// Somebody who has signed in there with both factors.
    async fn signed_in(&self, account: &Account) -> Person {
        let person = self.somebody();
        let sent = self.stack.vendor.messages_to(&account.phone).len();
        let page = person.give_password("/", account).await;
        let code = self.stack.vendor.wait_for_message(&account.phone, sent + 1).code();
        person.give_code(&page, &code).await.expect(303);
        person
    }

    /// Makes the operator's session as old as that, with the keys of the installation.
    fn age(&self, person: &Person, seconds: i64) {
        let file = self.stack.settings.get("signing_keys.0.file");
        let key = std::fs::read_to_string(file.as_str().unwrap()).unwrap();
        let keys = Keys::new(&[SecretBytes::new(STANDARD.decode(key.trim()).unwrap())]).unwrap();
        let session = Session::from_cookie(&person.cookie(SESSION_COOKIE).unwrap(), &keys).unwrap();
        let older = Session { opened_at: UnixMillis(session.opened_at.0 - seconds * 1000), ..session };
        person.set_cookie(SESSION_COOKIE, &older.to_cookie(&keys));
    }

    fn audited(&self, event: &str, actor: &str) -> i64 {
        self.stack.count(&format!("audit WHERE event = '{event}' AND actor = '{actor}' AND source = '127.0.0.1'"))
    }
}

/// Opens the form at a path and sends it with these fields; the answer is not followed.
async fn do_it(person: &Person, path: &str, typed: &[(&str, &str)]) -> Answer {
    let page = person.open(path).await.expect(200);
    person.submit(&page.form_with("reason"), &page.asked, typed).await
}
