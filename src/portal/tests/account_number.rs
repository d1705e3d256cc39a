//! The number changed on the user's own page: the password, a code on the old number, the new number and a code on that, and nothing else. Floor: edge.

use http::StatusCode;

use super::account::{is_in, signed_in_beside};
use super::{Answer, Browser, PASSWORD};

const ACCOUNT: &str = "/.vestibule/account";
const PHONE: &str = "/.vestibule/account/phone";
const CODE: &str = "/.vestibule/account/phone/code";
const RESEND: &str = "/.vestibule/account/phone/resend";
const NUMBER: &str = "/.vestibule/account/phone/number";
const NOT_CHANGED: &str = "/.vestibule/account?said=number-not-changed";
const NEW: &str = "+32470998877";

impl Browser {
    async fn begin(&mut self) -> Answer {
        self.fill(PHONE, PHONE, &[("password", PASSWORD)]).await
    }

    async fn number_code(&mut self, code: &str) -> Answer {
        self.fill(PHONE, CODE, &[("code", code)]).await
    }

    /// As far as the code on the new number.
    async fn owing_the_new_code(&mut self) -> String {
        assert_eq!(self.begin().await.leads_to(), PHONE);
        let code = self.outside.last_code();
        assert_eq!(self.number_code(&code).await.leads_to(), PHONE);
        assert_eq!(self.get(PHONE).await.leads_to(), NUMBER);
        assert_eq!(self.fill(NUMBER, NUMBER, &[("phone", NEW)]).await.leads_to(), PHONE);
        self.outside.last_code()
    }
}

#[tokio::test]
async fn a_number_is_changed_by_password_old_code_and_new_code() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let mut copy = here.another();
    copy.cookies = here.cookies.clone();
    assert!(here.get(ACCOUNT).await.says(PHONE), "it can be found");
    assert_eq!(here.begin().await.leads_to(), PHONE);
    let page = here.get(PHONE).await;
    assert!(page.says("A code on your present number") && page.says("<strong>56</strong>"), "{}", page.body);
    let code = here.outside.last_code();
    assert_eq!(here.number_code(&code).await.leads_to(), PHONE);
    for (typed, said) in [("+32470123456", "your number already"), ("12", "Enter the whole number")] {
        let page = here.fill(NUMBER, NUMBER, &[("phone", typed)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.says(said), "{}", page.body);
    }
    assert_eq!(here.fill(NUMBER, NUMBER, &[("phone", NEW)]).await.leads_to(), PHONE);
    let page = here.get(PHONE).await;
    assert!(page.says("A code on your new number") && page.says("+32 470 99 88 77"), "{}", page.body);
    let code = here.outside.last_code();
    let answer = here.number_code(&code).await;
    assert_eq!(answer.leads_to(), "/.vestibule/account?said=number-changed");
    let page = here.get(answer.leads_to()).await;
    assert!(page.says("Your number has been changed.") && page.says("ending in 77"), "{}", page.body);
    assert!(is_in(&mut here).await && !is_in(&mut there).await && !is_in(&mut copy).await);
    // once: neither code nor cookie is worth anything now
    assert_eq!(here.number_code_without_page(&code).await.leads_to(), NOT_CHANGED);
}

#[tokio::test]
async fn no_step_can_be_left_out() {
    let mut here = Browser::signed_in().await;
    let csrf = here.get(PHONE).await.field("csrf");
    for (path, field) in [(CODE, ("code", "123456")), (NUMBER, ("phone", NEW)), (RESEND, ("x", ""))] {
        assert_eq!(
            here.post(path, &[("csrf", &csrf), field]).await.leads_to(),
            NOT_CHANGED,
            "without the password: {path}"
        );
    }
    assert_eq!(here.fill(PHONE, PHONE, &[("password", "wrong")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(here.outside.sms_count(), 1, "of the sign-in");
    assert_eq!(here.begin().await.leads_to(), PHONE);
    assert_eq!(here.get(NUMBER).await.leads_to(), PHONE, "not before the old number is proved");
    assert_eq!(here.post(NUMBER, &[("csrf", &csrf), ("phone", NEW)]).await.leads_to(), NOT_CHANGED);
    let old = here.outside.last_code();
    assert_eq!(here.number_code(&old).await.leads_to(), PHONE);
    assert_eq!(here.fill(NUMBER, NUMBER, &[("phone", NEW)]).await.leads_to(), PHONE);
    let new = here.outside.last_code();
    if old != new {
        assert_eq!(
            here.number_code(&old).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "the old code is none for the new number"
        );
    }
    assert!(here.get(ACCOUNT).await.says("ending in 56"));
}

#[tokio::test]
async fn a_change_belongs_to_the_session_that_began_it() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let code = here.owing_the_new_code().await;
    let handle = here.cookies["__Host-vestibule-login"].clone();
    there.cookies.insert("__Host-vestibule-login".to_owned(), handle);
    let csrf = there.get(PHONE).await.field("csrf");
    assert_eq!(there.post(CODE, &[("csrf", &csrf), ("code", &code)]).await.leads_to(), NOT_CHANGED);
    let mut nobody = here.another();
    nobody.cookies.insert("__Host-vestibule-login".to_owned(), here.cookies["__Host-vestibule-login"].clone());
    let page = nobody.get("/.vestibule/code").await;
    assert_eq!(page.status, StatusCode::GONE, "it is no sign-in: {}", page.body);
    assert_eq!(here.number_code(&code).await.leads_to(), "/.vestibule/account?said=number-changed");
}

#[tokio::test]
async fn two_changes_at_once_are_one() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let (first, second) = (here.owing_the_new_code().await, there.owing_the_new_code().await);
    assert_eq!(here.number_code(&first).await.leads_to(), "/.vestibule/account?said=number-changed");
    assert!(!is_in(&mut there).await);
    let answer = there.number_code_without_page(&second).await;
    assert!(answer.leads_to().starts_with("/.vestibule/login"), "{}", answer.leads_to());
}

#[tokio::test]
async fn a_number_of_another_account_is_not_taken() {
    let mut here = Browser::signed_in().await;
    assert_eq!(here.begin().await.leads_to(), PHONE);
    let code = here.outside.last_code();
    assert_eq!(here.number_code(&code).await.leads_to(), PHONE);
    assert_eq!(here.fill(NUMBER, NUMBER, &[("phone", "+32470123459")]).await.leads_to(), PHONE);
    let code = here.outside.last_code();
    assert_eq!(here.number_code(&code).await.leads_to(), "/.vestibule/account?said=number-taken");
    assert!(here.get("/.vestibule/account?said=number-taken").await.says("on another account already"));
    assert!(here.get(ACCOUNT).await.says("ending in 56"));
}

#[tokio::test]
async fn wrong_codes_use_the_change_up() {
    let mut here = Browser::signed_in().await;
    assert_eq!(here.begin().await.leads_to(), PHONE);
    let code = here.outside.last_code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in [4, 3, 2] {
        let page = here.number_code(wrong).await;
        assert!(page.says(&format!("{left} tries are left")), "{}", page.body);
    }
    assert!(here.number_code(wrong).await.says("last try"));
    assert_eq!(here.number_code(wrong).await.leads_to(), NOT_CHANGED);
    assert_eq!(here.number_code(&code).await.leads_to(), NOT_CHANGED);
}

#[tokio::test]
async fn a_change_is_over_with_its_time_and_can_be_begun_again() {
    let mut here = Browser::signed_in().await;
    let code = here.owing_the_new_code().await;
    here.outside.pass(super::SECOND * 601);
    assert_eq!(here.number_code(&code).await.leads_to(), NOT_CHANGED);
    assert!(here.get(PHONE).await.says("name=\"password\""));
}

#[tokio::test]
async fn another_sms_is_sent_when_it_is_due() {
    let mut here = Browser::signed_in().await;
    assert_eq!(here.begin().await.leads_to(), PHONE);
    assert_eq!(here.fill(PHONE, RESEND, &[]).await.leads_to(), "/.vestibule/account/phone?said=early");
    here.outside.pass(super::SECOND * 31);
    assert_eq!(here.fill(PHONE, RESEND, &[]).await.leads_to(), "/.vestibule/account/phone?said=again");
    assert!(here.get("/.vestibule/account/phone?said=again").await.says("We sent the code again."));
    assert_eq!(here.outside.sms_count(), 3);
}

#[tokio::test]
async fn nothing_is_done_without_the_token_of_this_session() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let foreign = there.get(PHONE).await.field("csrf");
    for token in ["", &foreign] {
        let page = here.post(PHONE, &[("csrf", token), ("password", PASSWORD)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(here.outside.sms_count(), 2, "of the sign-ins");
    let code = here.owing_the_new_code().await;
    for path in [CODE, RESEND, NUMBER] {
        let page = here.post(path, &[("csrf", &foreign), ("code", &code), ("phone", "+32470111111")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(here.get(ACCOUNT).await.says("ending in 56"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_503() {
    let mut here = Browser::signed_in().await;
    let code = here.owing_the_new_code().await;
    let csrf = here.get(PHONE).await.field("csrf");
    here.outside.fall_silent();
    for path in [PHONE, CODE, RESEND, NUMBER] {
        let fields = [("csrf", csrf.as_str()), ("code", &code), ("password", PASSWORD), ("phone", NEW)];
        assert_eq!(here.post(path, &fields).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    for path in [PHONE, NUMBER] {
        assert_eq!(here.get(path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

impl Browser {
    /// With the token of the session, whatever page there is.
    async fn number_code_without_page(&mut self, code: &str) -> Answer {
        let csrf = self.get("/.vestibule/account/password").await;
        let csrf = if csrf.status == StatusCode::OK { csrf.field("csrf") } else { String::new() };
        self.post(CODE, &[("csrf", &csrf), ("code", code)]).await
    }
}
