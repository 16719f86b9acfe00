//! AWS's managed policies that this field uses: documents as AWS publishes them
//! (Managed Policy Reference), under `arn:aws:iam::aws:policy/`.
//!
//! `ReadOnlyAccess` and `SecurityAudit` cover hundreds of services; here stand the
//! statements for those that Berth has. `AmazonEC2ContainerRegistryPullOnly` and the
//! public registry's policy have ids of our own, since AWS's are not published.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use policy::{Document, DocumentKind};

use crate::Error;

/// What all ARNs of AWS's managed policies begin with.
pub(crate) const ARN_PREFIX: &str = "arn:aws:iam::aws:policy";

struct Entry {
    name: &'static str,
    path: &'static str,
    id: &'static str,
    /// The version in force, the only one that is kept here.
    version: i64,
    created_at: &'static str,
    updated_at: &'static str,
    text: &'static str,
}

macro_rules! entries {
    ($($name:ident $path:literal $id:literal v $version:literal $created:literal $updated:literal;)*) => {
        &[$(Entry {
            name: stringify!($name),
            path: $path,
            id: $id,
            version: $version,
            created_at: $created,
            updated_at: $updated,
            text: include_str!(concat!("managed/", stringify!($name), ".json")),
        }),*]
    };
}

const ENTRIES: &[Entry] = entries! {
    AdministratorAccess "/" "ANPAIWMBCKSKIEE64ZLYK" v 1 "2015-02-06T18:39:46Z" "2015-02-06T18:39:46Z";
    AmazonEC2ContainerRegistryFullAccess "/" "ANPAIESRL7KD7IIVF6V4W" v 3 "2015-12-21T17:06:48Z" "2020-12-05T00:04:19Z";
    AmazonEC2ContainerRegistryPowerUser "/" "ANPAJDNE5PIHROIBGGDDW" v 3 "2015-12-21T17:05:33Z" "2019-12-10T20:48:08Z";
    AmazonEC2ContainerRegistryPullOnly "/" "ANPAX4BERTHPULLONLY22" v 1 "2024-10-04T16:58:49Z" "2024-10-04T16:58:49Z";
    AmazonEC2ContainerRegistryReadOnly "/" "ANPAIFYZPA37OOHVIH7KQ" v 3 "2015-12-21T17:04:15Z" "2019-12-10T20:56:32Z";
    AmazonElasticContainerRegistryPublicFullAccess "/" "ANPAX4BERTHPUBLICFULL" v 1 "2020-12-01T17:25:52Z" "2020-12-01T17:25:52Z";
    IAMFullAccess "/" "ANPAI7XKCFMBPM3QQRRVQ" v 2 "2015-02-06T18:40:38Z" "2019-06-21T19:40:00Z";
    IAMReadOnlyAccess "/" "ANPAJKSO7NDY4T57MWDSQ" v 4 "2015-02-06T18:40:39Z" "2018-01-25T19:11:27Z";
    IAMUserChangePassword "/" "ANPAJ4L4MM2A7QIEB56MS" v 5 "2016-11-15T00:25:16Z" "2026-02-12T17:58:57Z";
    PowerUserAccess "/" "ANPAJYRXTHIB4FOVS3ZXS" v 6 "2015-02-06T18:39:47Z" "2023-07-06T22:04:00Z";
    ReadOnlyAccess "/" "ANPAILL3HVNFSB6DCOWYQ" v 1 "2015-02-06T18:39:48Z" "2015-02-06T18:39:48Z";
    SecurityAudit "/" "ANPAIX2T3QCXHR2OGGCTO" v 1 "2015-02-06T18:41:01Z" "2015-02-06T18:41:01Z";
};

/// One of AWS's managed policies.
#[derive(Clone, Debug)]
pub(crate) struct AwsPolicy {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) arn: String,
    pub(crate) id: &'static str,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) text: &'static str,
    pub(crate) document: Arc<Document>,
}

/// All of them, by ARN.
pub(crate) type AwsPolicies = BTreeMap<String, AwsPolicy>;

/// Reads the table.
pub(crate) fn load() -> Result<AwsPolicies, Error> {
    let mut policies = AwsPolicies::new();
    for entry in ENTRIES {
        let arn = format!("{ARN_PREFIX}{}{}", entry.path, entry.name);
        let document = Document::parse(entry.text, DocumentKind::Managed)?;
        policies.insert(
            arn.clone(),
            AwsPolicy {
                name: entry.name,
                path: entry.path,
                arn,
                id: entry.id,
                version: entry.version,
                created_at: entry.created_at.parse().map_err(Error::internal)?,
                updated_at: entry.updated_at.parse().map_err(Error::internal)?,
                text: entry.text,
                document: Arc::new(document),
            },
        );
    }
    Ok(policies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_valid_and_every_id_has_its_shape() {
        let policies = load().unwrap();
        assert_eq!(policies.len(), ENTRIES.len());
        for policy in policies.values() {
            assert!(
                policy.id.starts_with("ANPA") && policy.id.len() == 21,
                "{}",
                policy.id
            );
        }
    }
}
