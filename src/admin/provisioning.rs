//! What programs ask beyond what people do: accounts a page at a time, whether one is as they would have made it, and what is said of a person.
//! Floor: edge.

use crate::admin::accounts::{AccountFilter, Newcomer};
use crate::admin::operations::{Act, Effect, OperationError, Operations, Reason, Refusal};
use crate::admin::profile;
use crate::domain::audit::AuditEvent;
use crate::domain::language::Language;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountChange, AccountOverview};

/// Some accounts, by user name.
#[derive(Debug)]
pub struct AccountPage {
    pub accounts: Vec<AccountOverview>,
    /// Where the next page goes on; `None`: there are no more.
    pub next: Option<UserName>,
}

/// What is said of the person; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub name: Option<String>,
    pub email: Option<String>,
    pub language: Option<Language>,
}

/// Accounts that are read at a time, and so many times for one page: names and addresses are sealed, so a filter reads every account. Our own
/// figures: 5,000 accounts take some ten milliseconds.
const READ_AT_A_TIME: u32 = 500;
const READINGS: usize = 10;

impl Operations {
    /// At most `most` accounts that the filter lets through, after `after`. Fewer, or none, when many others stand between.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn account_page(
        &self,
        filter: &AccountFilter,
        after: Option<UserName>,
        most: usize,
        now: UnixMillis,
    ) -> Result<AccountPage, OperationError> {
        let mut accounts = Vec::new();
        let mut after = after;
        for _ in 0..READINGS {
            let read = self.directory.list(after.as_ref(), READ_AT_A_TIME).await?;
            let is_last = read.len() < READ_AT_A_TIME as usize;
            for account in read {
                if accounts.len() == most {
                    return Ok(AccountPage { accounts, next: after });
                }
                after = Some(account.user_name.clone());
                if filter.lets_through(&account, &self.policy, now) {
                    accounts.push(account);
                }
            }
            if is_last {
                return Ok(AccountPage { accounts, next: None });
            }
        }
        Ok(AccountPage { accounts, next: after })
    }

    /// Whether the account is what adding `newcomer` would have made of it, by all that is said of it.
    ///
    /// # Errors
    /// When something that is said cannot be so.
    pub fn is_as_said(&self, account: &AccountOverview, newcomer: &Newcomer) -> Result<bool, Refusal> {
        let name = newcomer.name.as_deref().map(profile::name).transpose().map_err(Refusal::Profile)?;
        let email = newcomer.email.as_deref().map(profile::email).transpose().map_err(Refusal::Profile)?;
        let phone = newcomer.phone.as_deref().map(|phone| self.phone(phone)).transpose().map_err(Refusal::Phone)?;
        let is_name = name.is_none() || name == account.name;
        let is_email = email.is_none() || email == account.email;
        let is_phone = phone.is_none() || phone == account.phone;
        let is_language = newcomer.language.is_none() || newcomer.language == account.language;
        Ok(account.user_name == newcomer.user_name && is_name && is_email && is_phone && is_language)
    }

    /// Changes what is said of the person. Nothing ends.
    ///
    /// # Errors
    /// When there is no such account, or what is said cannot be so.
    pub async fn change_profile(
        &self,
        act: &Act,
        name: &UserName,
        change: ProfileChange,
        why: &Reason,
    ) -> Result<Effect, OperationError> {
        let said = AccountChange::Profile {
            name: change.name.as_deref().map(profile::name).transpose().map_err(Refusal::Profile)?,
            email: change.email.as_deref().map(profile::email).transpose().map_err(Refusal::Profile)?,
            language: change.language,
        };
        let account = self.account(name).await?;
        self.change(act, &account, said, AuditEvent::AccountChanged, Some(why)).await
    }
}
