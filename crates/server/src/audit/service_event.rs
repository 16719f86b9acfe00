//! Events of work that no request asked for, in the form of CloudTrail's service events (CloudTrail User
//! Guide, "AWS service events"; AWS's own examples name the service in `invokedBy`, `sourceIPAddress` and
//! `userAgent`, and say what was done in `serviceEventDetails`).

use authz::ServiceName;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::bounded;

/// See the module.
pub(crate) struct ServiceEvent<'a> {
    /// An event that is written twice has the same id twice.
    pub(crate) id: Uuid,
    pub(crate) time: Timestamp,
    /// Who did it.
    pub(crate) service: &'a str,
    pub(crate) source: &'a str,
    pub(crate) name: &'a str,
    /// The account whose data it was, where it was one's.
    pub(crate) account: Option<&'a str>,
    /// The ARN of the resource that it is about, where it is about one.
    pub(crate) resource: Option<&'a str>,
    pub(crate) details: serde_json::Value,
    /// Nothing was changed.
    pub(crate) read_only: bool,
}

impl<'a> ServiceEvent<'a> {
    /// An event about the log itself.
    pub(super) fn of_log(name: &'a str, time: Timestamp, details: serde_json::Value) -> Self {
        ServiceEvent {
            id: Uuid::new_v4(),
            time,
            service: ServiceName::AuditLog.as_str(),
            source: ServiceName::EVENT_SOURCE,
            name,
            account: None,
            resource: None,
            details,
            read_only: true,
        }
    }

    /// The line of the log: JSON and a line feed. An event about a resource is of its region, another of `region`.
    pub(super) fn into_text(self, region: &str) -> Vec<u8> {
        let field = |at: usize| self.resource.and_then(|arn| arn.split(':').nth(at));
        let region = field(3).filter(|own| !own.is_empty()).unwrap_or(region);
        let mut event = json!({
            "eventVersion": "1.11",
            "userIdentity": {"type": "AWSService", "invokedBy": self.service},
            "eventTime": aws_types::time::iso8601(self.time),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": region,
            "sourceIPAddress": self.service,
            "userAgent": self.service,
            "requestParameters": null,
            "responseElements": null,
            "eventID": self.id.to_string(),
            "readOnly": self.read_only,
            "eventType": "AwsServiceEvent",
            "managementEvent": true,
            "eventCategory": "Management",
            "serviceEventDetails": bounded(self.details),
        });
        if let Some(account) = self.account {
            event["userIdentity"]["accountId"] = account.into();
            event["recipientAccountId"] = account.into();
        }
        // As AWS's events of lifecycle policies have it (ECR User Guide, "Logging Amazon ECR actions with AWS
        // CloudTrail"); the only resources of such events are repositories.
        if let Some(arn) = self.resource {
            let account = field(4).unwrap_or_default();
            event["resources"] =
                json!([{"ARN": arn, "accountId": account, "type": "AWS::ECR::Repository"}]);
        }
        // A `Value` always serializes.
        let mut line = event.to_string().into_bytes();
        line.push(b'\n');
        line
    }
}
