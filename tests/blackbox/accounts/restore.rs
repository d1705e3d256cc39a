//! An older copy of the database in its place: told by what is noted beside it, in Redis or in a running node, or said by the operator.

use crate::harness::children::{run, wait_for};
use crate::harness::person::Person;
use crate::harness::postgres;
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use std::path::PathBuf;
use std::process::Command;

/// With a copy from before most of what happened.
struct Scene {
    stack: Stack,
    /// With a number, in the copy as well.
    anna: Account,
    /// Signed in before the copy, after it, and with an account that is younger than it.
    people: [Person; 3],
    copy: PathBuf,
}

async fn scene(plan: Plan) -> Scene {
    let stack = plan.set("two_factor.phone_numbers", "self_registered").set("two_factor.activation", "active").start();
    let anna = stack.add_account("anna", "+32470111222");
    // without a number: the window is open
    stack.add_account("nadia", "");
    let before = stack.signed_in(&anna).await;
    let copy = stack.folder().join("copy");
    match stack.settings.get("accounts.url").as_str().unwrap() {
        url if url.starts_with("sqlite") => {
            stack.command(&["accounts", "backup", copy.to_str().unwrap()], "").done();
        }
        url => std::fs::write(&copy, postgres::dump_database(url)).unwrap(),
    }
    // a first number, a reset, and an account more: what the copy knows nothing of
    stack.command(&["user", "set-phone", "nadia", "+32470111333", "--reason", "first"], "").done();
    stack.command(&["user", "reset-two-factor", "anna", "--reason", "lost"], "").done();
    let after = stack.signed_in(&anna).await;
    let carl = stack.add_account("carl", "+32470111444");
    let younger = stack.signed_in(&carl).await;
    for person in [&after, &younger] {
        person.fetch("/").await.expect(200);
    }
    Scene { stack, anna, people: [before, after, younger], copy }
}

impl Scene {
    /// Once every place has a note that was written after all changes: notes are sealed, so that each is another.
    fn noted(&self) {
        let file = self.stack.folder().join("accounts.db.marker");
        let notes = || (std::fs::read(&file).ok(), self.in_redis().map(|(_, value)| value));
        let before = notes();
        let has_file = before.0.is_some();
        wait_for("new notes", || {
            let now = notes();
            ((!has_file || now.0 != before.0) && now.1.is_some() && now.1 != before.1).then_some(())
        });
    }

    /// The note in Redis: its remaining life and what it is.
    fn in_redis(&self) -> Option<(i64, Vec<u8>)> {
        let contents = self.stack.redis.as_ref().unwrap().contents();
        contents
            .into_iter()
            .find(|(key, ..)| key.starts_with("vestibule:marker:{"))
            .map(|(_, life, value)| (life, value))
    }

    fn put_back_sqlite(&mut self) {
        self.stack.node().kill();
        let path = self.stack.folder().join("accounts.db");
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
        std::fs::copy(&self.copy, &path).unwrap();
    }

    fn start_again(&mut self) {
        let environment = self.stack.environment().to_vec();
        self.stack.node().start_again(&environment);
    }

    fn count(&self, event: &str) -> String {
        self.stack.sql(&format!("SELECT COUNT(*) FROM audit WHERE event = '{event}'"))
    }

    fn windows(&self) -> String {
        self.stack.sql("SELECT COUNT(*) FROM accounts WHERE enrolment_until IS NOT NULL")
    }

    async fn everything_is_ended(&self) {
        for person in &self.people {
            let wait = async {
                while person.fetch("/").await.status != 401 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(10), wait).await.expect("a session goes on");
        }
        assert_eq!(self.windows(), "0");
        // and those who sign in now stay
        let again = self.stack.signed_in(&self.anna).await;
        again.fetch("/").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_is_told_by_the_note_beside_it() {
    let mut scene = scene(Plan::new()).await;
    scene.noted();
    scene.put_back_sqlite();
    scene.stack.redis().flush();
    scene.start_again();
    assert_eq!(scene.count("older_copy_found"), "1");
    scene.everything_is_ended().await;
    let told = "the accounts database is an older copy";
    assert_eq!(scene.stack.nodes[0].log().matches(told).count(), 1);
    scene.start_again();
    assert_eq!(scene.count("older_copy_found"), "1", "once is enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_is_told_by_redis() {
    let mut scene = scene(Plan::new()).await;
    scene.noted();
    assert_eq!(scene.in_redis().expect("a note in Redis").0, -1, "without a TTL");
    scene.put_back_sqlite();
    std::fs::remove_file(scene.stack.folder().join("accounts.db.marker")).unwrap();
    scene.start_again();
    assert_eq!(scene.count("older_copy_found"), "1");
    scene.everything_is_ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_comes_first_tells_an_older_copy() {
    let mut scene = scene(Plan::new()).await;
    scene.noted();
    scene.put_back_sqlite();
    let said = scene.stack.command(&["user", "list"], "");
    assert!(said.stderr.contains("older copy"), "{}", said.stderr);
    assert_eq!((scene.count("older_copy_found"), scene.windows()), ("1".to_owned(), "0".to_owned()));
    scene.start_again();
    scene.everything_is_ended().await;
    assert_eq!(scene.count("older_copy_found"), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_note_there_is_a_warning_until_the_operator_says_so() {
    let mut scene = scene(Plan::new()).await;
    scene.noted();
    scene.put_back_sqlite();
    std::fs::remove_file(scene.stack.folder().join("accounts.db.marker")).unwrap();
    scene.stack.redis().flush();
    let before = scene.stack.nodes[0].log().len();
    scene.start_again();
    let log = scene.stack.nodes[0].log()[before..].to_owned();
    assert_eq!(log.matches("vestibule accounts restored").count(), 2, "for each place");
    assert_eq!((scene.count("older_copy_found"), scene.windows()), ("0".to_owned(), "1".to_owned()));
    scene.people[2].fetch("/").await.expect(200);

    assert_eq!(scene.stack.command(&["accounts", "restored"], "").code, Some(2), "why?");
    let said = scene.stack.command(&["accounts", "restored", "--reason", "disk failed"], "").done();
    assert!(said.contains("enrolment is closed"), "{said}");
    assert_eq!(scene.stack.sql("SELECT reason FROM audit WHERE event = 'accounts_restored'"), "disk failed");
    scene.everything_is_ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_nodes_notice_an_older_copy_in_postgres() {
    let scene = scene(Plan::new().accounts(Accounts::Postgres).nodes(2)).await;
    scene.noted();
    let mut psql = Command::new("psql");
    psql.env("PATH", postgres::path_with_tools());
    psql.args([
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-1",
        "-d",
        scene.stack.settings.get("accounts.url").as_str().unwrap(),
    ]);
    psql.args(["-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "-f"]).arg(&scene.copy);
    run(psql, "").done();
    scene.everything_is_ended().await;
    assert_eq!(scene.count("older_copy_found"), "1");
    let told = |node: usize| scene.stack.nodes[node].log().matches("the accounts database is an older copy").count();
    assert_eq!(told(0) + told(1), 1, "by one of the two");
}
