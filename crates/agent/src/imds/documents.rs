//! The answers' documents.

use jiff::Timestamp;
use serde_json::json;

use crate::upstream::{HostRole, Issued};

/// What does not change while the agent runs.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `i-…`
    pub host_id: String,
    /// The account.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// The host's name.
    pub host_name: Option<String>,
    /// When it joined or the agent started, for the identity document.
    pub pending_time: Timestamp,
}

impl Instance {
    /// The availability zone. Berth has no zones; SDKs make the region of the zone's name by cutting its last
    /// letter off.
    #[must_use]
    pub fn availability_zone(&self) -> String {
        format!("{}a", self.region)
    }

    /// `dynamic/instance-identity/document` (EC2 User Guide, "Instance identity documents"). It is not
    /// signed: the host proves itself by its key, and a copy of this text proves nothing.
    #[must_use]
    pub fn identity_document(&self) -> String {
        let architecture = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            other => other,
        };
        let document = json!({
            "accountId": self.account_id,
            "architecture": architecture,
            "availabilityZone": self.availability_zone(),
            "billingProducts": null,
            "devpayProductCodes": null,
            "marketplaceProductCodes": null,
            "imageId": null,
            "instanceId": self.host_id,
            "instanceType": null,
            "kernelId": null,
            "pendingTime": aws_types::time::iso8601(self.pending_time),
            "privateIp": null,
            "ramdiskId": null,
            "region": self.region,
            "version": "2017-09-30",
        });
        pretty(&document)
    }
}

/// `iam/info` (EC2 User Guide, "Instance metadata categories").
#[must_use]
pub fn info(role: &HostRole) -> String {
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": aws_types::time::iso8601(role.issued.issued_at),
        "InstanceProfileArn": role.instance_profile_arn,
        "InstanceProfileId": role.instance_profile_id,
    }))
}

/// `iam/security-credentials/<role>`; with the account for `iam/security-credentials-extended/<role>`.
#[must_use]
pub fn credentials(issued: &Issued, account_id: Option<&str>) -> String {
    let mut document = json!({
        "Code": "Success",
        "LastUpdated": aws_types::time::iso8601(issued.issued_at),
        "Type": "AWS-HMAC",
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": *issued.secret,
        "Token": *issued.token,
        "Expiration": aws_types::time::iso8601(issued.expires_at),
    });
    if let Some(account) = account_id {
        document["AccountId"] = account.into();
    }
    pretty(&document)
}

/// The answer of a container credentials endpoint (AWS SDKs and Tools Reference Guide, "Container credential
/// provider").
#[must_use]
pub fn container(issued: &Issued, account_id: &str, role_arn: Option<&str>) -> String {
    let mut document = json!({
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": *issued.secret,
        "Token": *issued.token,
        "AccountId": account_id,
        "Expiration": aws_types::time::iso8601(issued.expires_at),
    });
    if let Some(arn) = role_arn {
        document["RoleArn"] = arn.into();
    }
    document.to_string()
}

fn pretty(document: &serde_json::Value) -> String {
    format!("{document:#}")
}
