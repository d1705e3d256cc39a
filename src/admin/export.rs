//! Accounts as a CSV that `import` reads. Floor: edge.

use crate::admin::operations::{OperationError, Operations};
use crate::domain::time::UnixMillis;
use crate::login::directory::AccountOverview;

/// What an export contains beside user name, name, e-mail and language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportSecrets {
    /// Not the numbers, not the hashes: for looking at.
    Without,
    /// Whole numbers and password hashes: for moving the accounts.
    With,
}

/// The columns in their order; the last two are secrets.
pub const COLUMNS: [&str; 6] = ["username", "name", "email", "language", "phone", "password_hash"];

impl Operations {
    /// All accounts, comma-separated, in UTF-8 without BOM. Disabled ones are left out: an import would enable them.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn export(&self, secrets: ExportSecrets, now: UnixMillis) -> Result<String, OperationError> {
        let filter = crate::admin::accounts::AccountFilter {
            status: Some(crate::domain::account::AccountStatus::Active),
            ..Default::default()
        };
        let accounts = self.list(&filter, now).await?;
        let columns = match secrets {
            ExportSecrets::Without => 4,
            ExportSecrets::With => 6,
        };
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut write = |row: [&str; 6]| csv.write_record(row.iter().take(columns)).expect("memory takes every row");
        write(COLUMNS);
        for account in &accounts {
            write(row(account));
        }
        let bytes = csv.into_inner().expect("memory takes every row");
        Ok(String::from_utf8(bytes).expect("every cell is text"))
    }
}

fn row(account: &AccountOverview) -> [&str; 6] {
    [
        account.user_name.as_str(),
        account.name.as_deref().unwrap_or_default(),
        account.email.as_deref().unwrap_or_default(),
        account.language.map(|language| language.tag()).unwrap_or_default(),
        account.phone.as_ref().map(|phone| phone.e164()).unwrap_or_default(),
        // a one-time password is none to be moved: the import makes another one
        if account.password_expires_at.is_some() { "" } else { account.password.stored() },
    ]
}
