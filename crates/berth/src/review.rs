//! `berth restore review`: who may do something on this server, with keys and their last use. What was deleted after
//! the backup is there again, and a person has to look.

use jiff::Timestamp;
use policy::Printable;
use serde_json::json;
use store::Store;
use store::iam::review;

use crate::backups::on_runtime;
use crate::cli::{Output, RestoreReviewOptions};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::output::Answers;
use crate::storage;

/// Rows that one statement reads.
const ROWS_AT_ONCE: i64 = 500;

/// Runs the command, beside a running server or without one.
pub fn run(options: &RestoreReviewOptions) -> Result<()> {
    storage::refuse_missing(&options.storage)?;
    let home = DataDir::open(&options.storage.data_dir)?;
    let url = storage::url(&options.storage, &home)?;
    on_runtime(Box::pin(async {
        let store = Store::open(&url)
            .await
            .map_err(Error::failed("cannot open the database of --database"))?;
        let mut page = Page {
            answers: Answers::new(),
            output: options.output,
        };
        let listed = list(&store, &mut page).await;
        store.close().await;
        listed?;
        page.answers.flush()
    }))
}

struct Page {
    answers: Answers,
    output: Output,
}

fn time(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

fn used(at: Option<i64>) -> String {
    at.map_or_else(
        || "never used".to_owned(),
        |at| format!("used {}", time(at)),
    )
}

impl Page {
    fn tell(&mut self, json: &serde_json::Value, text: &str) -> Result<()> {
        match self.output {
            Output::Json => self.answers.json(json),
            Output::Text => self.answers.line(&Printable(text).to_string()),
        }
    }
}

/// Calls `$read` with the last key until it gives none.
macro_rules! pages {
    ($store:expr, |$conn:ident, $after:ident| $read:expr, |$row:ident| $key:expr, $tell:expr) => {{
        let mut $after = String::new();
        loop {
            let rows = {
                let mut read = $store.read().await.map_err(unreadable)?;
                let $conn = &mut read.conn();
                $read.await.map_err(unreadable)?
            };
            let Some($row) = rows.last() else { break };
            $after = $key.clone();
            for row in &rows {
                $tell(row)?;
            }
        }
    }};
}

fn unreadable(error: store::Error) -> Error {
    Error::Failed(format!("cannot read the database: {error}"))
}

async fn list(store: &Store, page: &mut Page) -> Result<()> {
    let mut accounts = Vec::new();
    pages!(
        store,
        |conn, after| review::accounts(conn, &after, ROWS_AT_ONCE),
        |row| row,
        |id: &String| {
            accounts.push(id.clone());
            Ok::<_, Error>(())
        }
    );
    for account in &accounts {
        page.tell(&json!({"account": account}), &format!("account {account}"))?;
        for kind in ["user", "role"] {
            pages!(
                store,
                |conn, after| review::principals(conn, account, kind, &after, ROWS_AT_ONCE),
                |row| row.name_folded,
                |one: &review::Principal| principal(page, account, kind, one)
            );
        }
        pages!(
            store,
            |conn, after| review::keys(conn, account, &after, ROWS_AT_ONCE),
            |row| row.id,
            |one: &review::Key| key(page, account, one)
        );
        pages!(
            store,
            |conn, after| review::hosts(conn, account, &after, ROWS_AT_ONCE),
            |row| row.id,
            |one: &review::Host| host(page, account, one)
        );
    }
    Ok(())
}

fn principal(page: &mut Page, account: &str, kind: &str, one: &review::Principal) -> Result<()> {
    let arn = format!("arn:aws:iam::{account}:{kind}{}{}", one.path, one.name);
    let json = json!({
        kind: arn,
        "createdAt": time(one.created_at),
        "lastUsedAt": one.last_used_at.map(time),
        "hasPassword": one.has_password,
    });
    let password = match one.has_password {
        true => ", has a password",
        false => "",
    };
    // When a user was last used, its keys say.
    let last = match (kind, one.has_password) {
        ("user", false) => String::new(),
        _ => format!(", {}", used(one.last_used_at)),
    };
    let text = format!(
        "  {kind} {arn}: made {}{password}{last}",
        time(one.created_at)
    );
    page.tell(&json, &text)
}

fn key(page: &mut Page, account: &str, one: &review::Key) -> Result<()> {
    let of = one.user.as_deref().unwrap_or("root");
    let status = match one.is_active {
        true => "Active",
        false => "Inactive",
    };
    let json = json!({
        "accessKeyId": one.id,
        "account": account,
        "userName": one.user,
        "status": status,
        "createdAt": time(one.created_at),
        "lastUsedAt": one.last_used_at.map(time),
        "lastUsedService": one.last_used_service,
    });
    let service = one.last_used_service.as_deref();
    let service = service.map_or_else(String::new, |name| format!(" for {name}"));
    let text = format!(
        "  access key {} of {of}: {status}, made {}, {}{service}",
        one.id,
        time(one.created_at),
        used(one.last_used_at)
    );
    page.tell(&json, &text)
}

fn host(page: &mut Page, account: &str, one: &review::Host) -> Result<()> {
    let json = json!({
        "hostId": one.id,
        "account": account,
        "instanceProfileArn": one.profile_arn,
        "joinedAt": time(one.joined_at),
        "lastSeenAt": one.last_seen_at.map(time),
    });
    let text = format!(
        "  host {} with {}: joined {}, {}",
        one.id,
        one.profile_arn,
        time(one.joined_at),
        used(one.last_seen_at)
    );
    page.tell(&json, &text)
}
