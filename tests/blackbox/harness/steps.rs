//! What people do on the pages of a sign-in, step by step, and what a test does around them.

use super::children::wait_for;
use super::evidence::SecretKind;
use super::person::{Answer, Person};
use super::stack::{Account, Stack};
use std::time::{Duration, Instant};

pub(crate) const LOGIN: &str = "/.vestibule/login";
pub(crate) const PHONE: &str = "/.vestibule/phone";
pub(crate) const CODE: &str = "/.vestibule/code";
pub(crate) const NEW_PASSWORD: &str = "/.vestibule/password";
pub(crate) const RESEND: &str = "/.vestibule/code/resend";
pub(crate) const LOGOUT: &str = "/.vestibule/logout";
pub(crate) const SESSION: &str = "/.vestibule/session";

/// A code that is not this one: its last digit differs by `step` (1 to 9).
pub(crate) fn not_this(code: &str, step: u8) -> String {
    let (head, last) = code.split_at(code.len() - 1);
    let digit = last.bytes().next().unwrap() - b'0';
    format!("{head}{}", (digit + step) % 10)
}

impl Person {
    /// Gives name and password on a sign-in page that is open already; the answer is not followed.
    pub(crate) async fn type_password(&self, page: &Answer, name: &str, password: &str) -> Answer {
        self.submit(&page.form_with("password"), &page.asked, &[("username", name), ("password", password)]).await
    }

    /// Chooses a password on the page that asks for one; the answer is not followed.
    pub(crate) async fn choose_password(&self, page: &Answer, password: &str) -> Answer {
        let typed = [("new_password", password), ("repeated", password)];
        self.submit(&page.form_with("new_password"), &page.asked, &typed).await
    }

    /// Presses the button for another SMS; the answer is not followed.
    pub(crate) async fn ask_again(&self, page: &Answer) -> Answer {
        self.submit(&page.form_to(RESEND), &page.asked, &[]).await
    }

    /// Gives a number on the page that asks for one; the answer is not followed.
    pub(crate) async fn give_number(&self, page: &Answer, number: &str) -> Answer {
        self.submit(&page.form_with("phone"), &page.asked, &[("phone", number)]).await
    }

    /// Signs out by the button on the page that asks.
    pub(crate) async fn sign_out(&self) -> Answer {
        let page = self.open(LOGOUT).await.expect(200);
        self.submit(&page.form_to(LOGOUT), &page.asked, &[]).await
    }

    /// Whether a page of the application opens.
    pub(crate) async fn is_in(&self) -> bool {
        match self.open("/inside").await.status {
            200 => true,
            303 => false,
            other => panic!("neither in nor out: {other}"),
        }
    }

    /// Opens a page again and again until it is as wanted.
    pub(crate) async fn open_until(&self, target: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let began = Instant::now();
        loop {
            let page = self.open(target).await;
            if wanted(&page) {
                return page;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{target} never was as wanted: {}", page.reads());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Stack {
    /// The same person with the same cookies, whose connections go to the node with this number.
    pub(crate) fn at_node(&self, person: &Person, node: usize) -> Person {
        person.at_port(self.nodes[node].port())
    }

    /// A count from SQL.
    #[track_caller]
    pub(crate) fn count(&self, from_where: &str) -> i64 {
        self.sql(&format!("SELECT count(*) FROM {from_where}")).trim().parse().unwrap()
    }

    /// How many sessions were ever opened, ended ones included.
    pub(crate) fn sessions_opened(&self) -> i64 {
        self.count("sessions")
    }

    /// Accounts by the dozen, all with the same password, hashed once: checking it costs each of them what it costs anybody.
    pub(crate) fn add_accounts(&self, count: usize) -> Vec<Account> {
        let first = self.add_account("person-0", "+32470000000");
        let hash = self.sql("SELECT password FROM accounts");
        let mut people = vec![first.clone()];
        let mut file = "username,phone,password_hash\n".to_owned();
        for number in 1..count {
            // Numbers of a country lie far apart: no two share their first seven digits.
            let phone = format!("+3247{:07}", number * 9_973);
            file.push_str(&format!("person-{number},{phone},\"{hash}\"\n"));
            people.push(Account { name: format!("person-{number}"), password: first.password.clone(), phone });
        }
        let path = self.folder().join("people.csv");
        std::fs::write(&path, file).unwrap();
        self.command(&["user", "import", path.to_str().unwrap()], "").done();
        people
    }

    /// The password given and the page that asks for the code opened, with the code that was sent.
    pub(crate) async fn owing_a_code(&self, account: &Account) -> (Person, Answer, String) {
        let person = self.person();
        let sent = self.vendor.messages_to(&account.phone).len();
        let page = person.give_password("/inside", account).await.expect(200);
        let code = self.vendor.wait_for_message(&account.phone, sent + 1).code();
        (person, page, code)
    }

    /// An account with a password that has to be changed at the first sign-in.
    pub(crate) fn add_account_with_one_time_password(&self, name: &str, phone: &str) -> Account {
        let mut args = vec!["user", "add", name, "--language", "en", "--generate", "--json"];
        if !phone.is_empty() {
            args.extend(["--phone", phone]);
        }
        let told: serde_json::Value = serde_json::from_str(&self.command(&args, "").done()).unwrap();
        let password = told["password"].as_str().unwrap().to_owned();
        self.evidence().keep(SecretKind::Password, &password);
        self.evidence().keep(SecretKind::PhoneNumber, phone);
        Account { name: name.to_owned(), password, phone: phone.to_owned() }
    }

    /// Waits until something in SQL is as wanted.
    #[track_caller]
    pub(crate) fn wait_for_sql(&self, statement: &str, wanted: &str) {
        wait_for(&format!("{statement} to be {wanted}"), || (self.sql(statement).trim() == wanted).then_some(()));
    }
}
