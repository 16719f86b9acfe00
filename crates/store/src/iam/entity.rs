//! What users, groups, roles, managed policies and instance profiles share.

use std::borrow::Cow;

use crate::{Conn, Error, Result, Row, values};

/// The kinds of IAM entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `AIDA…`
    User,
    /// `AGPA…`
    Group,
    /// `AROA…`
    Role,
    /// A customer managed policy, `ANPA…`
    Policy,
    /// `AIPA…`
    InstanceProfile,
    /// An OIDC provider; its name is its URL without the scheme.
    OidcProvider,
    /// A SAML provider.
    SamlProvider,
    /// A virtual MFA device.
    MfaDevice,
    /// `ASCA…`
    ServerCertificate,
}

impl Kind {
    /// The word in the database, and in an ARN ahead of the path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Role => "role",
            Kind::Policy => "policy",
            Kind::InstanceProfile => "instance-profile",
            Kind::OidcProvider => "oidc-provider",
            Kind::SamlProvider => "saml-provider",
            Kind::MfaDevice => "mfa",
            Kind::ServerCertificate => "server-certificate",
        }
    }

    fn from_word(word: &str) -> Result<Kind> {
        Ok(match word {
            "user" => Kind::User,
            "group" => Kind::Group,
            "role" => Kind::Role,
            "policy" => Kind::Policy,
            "instance-profile" => Kind::InstanceProfile,
            "oidc-provider" => Kind::OidcProvider,
            "saml-provider" => Kind::SamlProvider,
            "mfa" => Kind::MfaDevice,
            "server-certificate" => Kind::ServerCertificate,
            _ => {
                return Err(Error::Column {
                    column: 2,
                    expected: "kind of IAM entity",
                });
            }
        })
    }
}

/// An IAM entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The row's id.
    pub id: i64,
    /// Twelve digits.
    pub account: String,
    /// What it is.
    pub kind: Kind,
    /// As it was given; unique in account and kind without regard to case, of an MFA device below its path.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `AIDA…` and its like: never given twice.
    pub unique_id: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// The permissions boundary's ARN.
    pub boundary_arn: Option<String>,
}

impl Entity {
    /// What listings are ordered and continued by.
    #[must_use]
    pub fn folded_name(&self) -> String {
        fold(self.kind, &key(self.kind, &self.path, &self.name))
    }

    /// `arn:aws:iam::123456789012:user/path/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        let kind = self.kind.as_str();
        format!(
            "arn:aws:iam::{}:{kind}{}{}",
            self.account, self.path, self.name
        )
    }
}

/// How names compare. The case of letters does not count in names, and it counts in the URL of an
/// OIDC provider (IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM").
#[must_use]
pub fn fold(kind: Kind, name: &str) -> String {
    match kind {
        Kind::OidcProvider => name.to_owned(),
        _ => name.to_ascii_lowercase(),
    }
}

/// What tells an entity from the others of its kind: its name, whatever its path. An MFA device's name is
/// unique at its path, without whose first slash it stands here (IAM API Reference, CreateVirtualMFADevice:
/// "Use with path to uniquely identify a virtual MFA device").
#[must_use]
pub fn key<'a>(kind: Kind, path: &str, name: &'a str) -> Cow<'a, str> {
    match path.strip_prefix('/') {
        Some(path) if kind == Kind::MfaDevice && !path.is_empty() => format!("{path}{name}").into(),
        _ => name.into(),
    }
}

/// The select list that [`entity`] reads, for statements of this folder.
macro_rules! entity_columns {
    () => {
        "e.id, e.account, e.kind, e.name, e.path, e.unique_id, e.created_at, e.boundary_arn"
    };
}
pub(super) use entity_columns;

pub(super) fn entity(row: &Row) -> Result<Entity> {
    Ok(Entity {
        id: row.int(0)?,
        account: row.text(1)?,
        kind: Kind::from_word(&row.text(2)?)?,
        name: row.text(3)?,
        path: row.text(4)?,
        unique_id: row.text(5)?,
        created_at: row.int(6)?,
        boundary_arn: row.opt_text(7)?,
    })
}

/// An entity that is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewEntity<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// Begins and ends with `/`.
    pub path: &'a str,
    /// A fresh one.
    pub unique_id: &'a str,
    /// The permissions boundary's ARN.
    pub boundary_arn: Option<&'a str>,
    /// Milliseconds since the epoch.
    pub now: i64,
}

/// Adds an entity.
///
/// # Errors
/// [`Error::Unique`] when the name is taken.
pub async fn insert(conn: &mut Conn<'_>, new: NewEntity<'_>) -> Result<Entity> {
    let sql = "INSERT INTO iam_entities (account, kind, name, name_folded, path, unique_id, created_at, boundary_arn) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
    let params = values![
        new.account,
        new.kind.as_str(),
        new.name,
        fold(new.kind, &key(new.kind, new.path, new.name)),
        new.path,
        new.unique_id,
        new.now,
        new.boundary_arn
    ];
    let id = conn.fetch_one(sql, params).await?.int(0)?;
    Ok(Entity {
        id,
        account: new.account.to_owned(),
        kind: new.kind,
        name: new.name.to_owned(),
        path: new.path.to_owned(),
        unique_id: new.unique_id.to_owned(),
        created_at: new.now,
        boundary_arn: new.boundary_arn.map(str::to_owned),
    })
}

/// The entity of this [`key`], whatever its letters' case.
pub async fn find(
    conn: &mut Conn<'_>,
    account: &str,
    kind: Kind,
    key: &str,
) -> Result<Option<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_entities e WHERE e.account = $1 AND e.kind = $2 AND e.name_folded = $3"
    );
    let params = values![account, kind.as_str(), fold(kind, key)];
    let row = conn.fetch_optional(sql, params).await?;
    row.as_ref().map(entity).transpose()
}

/// The entity of this unique id.
pub async fn find_by_unique_id(conn: &mut Conn<'_>, unique_id: &str) -> Result<Option<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_entities e WHERE e.unique_id = $1"
    );
    let row = conn.fetch_optional(sql, values![unique_id]).await?;
    row.as_ref().map(entity).transpose()
}

/// The entity of this row id.
pub async fn find_by_id(conn: &mut Conn<'_>, id: i64) -> Result<Option<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_entities e WHERE e.id = $1"
    );
    let row = conn.fetch_optional(sql, values![id]).await?;
    row.as_ref().map(entity).transpose()
}

/// At most `limit` entities of a kind whose path begins with `path_prefix` and whose
/// name, folded, comes after `after`; in the order of their names.
pub async fn list(
    conn: &mut Conn<'_>,
    account: &str,
    kind: Kind,
    path_prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_entities e WHERE e.account = $1 AND e.kind = $2 AND e.name_folded > $3 \
         AND substr(e.path, 1, length($4)) = $4 ORDER BY e.name_folded LIMIT $5"
    );
    let params = values![account, kind.as_str(), after, path_prefix, limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(entity).collect()
}

/// At most `limit` entities of the kinds whose row id comes after `after`.
pub async fn list_kinds(
    conn: &mut Conn<'_>,
    account: &str,
    kinds: &[Kind],
    after: i64,
    limit: i64,
) -> Result<Vec<Entity>> {
    let sql = concat!(
        "SELECT ",
        entity_columns!(),
        " FROM iam_entities e WHERE e.account = $1 AND e.id > $2 \
         AND e.kind IN ($3, $4, $5, $6) ORDER BY e.id LIMIT $7"
    );
    let kind = |at: usize| kinds.get(at).map_or("", |kind| kind.as_str());
    let params = values![account, after, kind(0), kind(1), kind(2), kind(3), limit];
    let rows = conn.fetch_all(sql, params).await?;
    rows.iter().map(entity).collect()
}

/// How many entities of a kind the account has.
pub async fn count(conn: &mut Conn<'_>, account: &str, kind: Kind) -> Result<i64> {
    let sql = "SELECT count(*) FROM iam_entities WHERE account = $1 AND kind = $2";
    conn.fetch_one(sql, values![account, kind.as_str()])
        .await?
        .int(0)
}

/// Gives an entity another name and path.
///
/// # Errors
/// [`Error::Unique`] when the name is taken.
pub async fn rename(
    conn: &mut Conn<'_>,
    id: i64,
    kind: Kind,
    name: &str,
    path: &str,
) -> Result<()> {
    let sql = "UPDATE iam_entities SET name = $2, name_folded = $3, path = $4 WHERE id = $1";
    let folded = fold(kind, &key(kind, path, name));
    conn.execute(sql, values![id, name, folded, path])
        .await
        .map(drop)
}

/// Sets or removes the permissions boundary.
pub async fn set_boundary(conn: &mut Conn<'_>, id: i64, arn: Option<&str>) -> Result<()> {
    let sql = "UPDATE iam_entities SET boundary_arn = $2 WHERE id = $1";
    conn.execute(sql, values![id, arn]).await.map(drop)
}

/// Removes an entity with what is part of it: tags, inline policies, versions.
///
/// # Errors
/// [`Error::ForeignKey`] while an access key or an instance profile points at it.
pub async fn delete(conn: &mut Conn<'_>, id: i64) -> Result<()> {
    let sql = "DELETE FROM iam_entities WHERE id = $1";
    conn.execute(sql, values![id]).await.map(drop)
}
