//! AWS's services, actions, resource types and condition keys, as the linter asks for them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalogue::{ActionFacts, Catalogue, KeyFacts, KeyType, ResourceType};
use aws_api::authorization::{self as tables, ResourceType as Row};

/// The tables of the `aws-api` crate.
pub struct AwsCatalogue;

/// Resource types of all services by the service in their ARNs, which is not always a prefix
/// (`catalog`).
static BY_ARN_SERVICE: LazyLock<HashMap<&str, Vec<&Row>>> = LazyLock::new(|| {
    let mut found: HashMap<&str, Vec<&Row>> = HashMap::new();
    for service in tables::prefixes().filter_map(tables::service) {
        for row in service.resource_types() {
            for pattern in &row.arn_patterns {
                // A placeholder is any service; the form is listed under its own.
                let arn_service = match pattern.split(':').nth(2) {
                    Some(field) if field.contains("${") => service.prefix(),
                    Some(field) => field,
                    None => continue,
                };
                let rows = found.entry(arn_service).or_default();
                if !rows.iter().any(|known| std::ptr::eq(*known, row)) {
                    rows.push(row);
                }
            }
        }
    }
    found
});

fn resource_type(row: &'static Row) -> ResourceType<'static> {
    ResourceType {
        name: row.name,
        arn_patterns: row.arn_patterns.to_vec(),
    }
}

/// The forms in which the reference writes the tag keys of a few services, where the others
/// have a placeholder: `secretsmanager:ResourceTag/tag-key`, `sagemaker:ResourceTag/`.
fn as_written(name: &str) -> impl Iterator<Item = String> {
    let head = name.split_once('/').map(|(head, _)| head);
    let heads = head.into_iter();
    heads.flat_map(|head| [format!("{head}/tag-key"), format!("{head}/")])
}

impl Catalogue for AwsCatalogue {
    fn services(&self) -> Vec<&str> {
        tables::prefixes().collect()
    }

    fn has_service(&self, prefix: &str) -> bool {
        tables::service(prefix).is_some()
    }

    fn similar_service(&self, prefix: &str) -> Option<&str> {
        tables::similar_prefix(prefix)
    }

    fn actions(&self, service: &str) -> Vec<&str> {
        tables::service(service).map_or_else(Vec::new, |service| {
            service.actions().map(|action| action.name()).collect()
        })
    }

    fn action(&self, service: &str, name: &str) -> Option<ActionFacts<'_>> {
        let action = tables::service(service)?.action(name)?;
        let rows = action.resource_types().map(|needed| needed.resource_type);
        Some(ActionFacts {
            name: action.name(),
            resource_types: rows.map(resource_type).collect(),
        })
    }

    fn similar_action(&self, service: &str, name: &str) -> Option<&str> {
        let similar = tables::service(service)?.similar_action(name)?;
        Some(similar.name())
    }

    fn resource_types(&self, arn_service: &str) -> Vec<ResourceType<'_>> {
        let rows = BY_ARN_SERVICE.get(arn_service);
        rows.map_or_else(Vec::new, |rows| {
            rows.iter().map(|row| resource_type(row)).collect()
        })
    }

    fn condition_key(&self, name: &str) -> Option<KeyFacts> {
        let key = tables::condition_key(name)
            .or_else(|| as_written(name).find_map(|name| tables::condition_key(&name)))?;
        Some(KeyFacts {
            key_type: match key.key_type {
                tables::KeyType::String => KeyType::String,
                tables::KeyType::Arn => KeyType::Arn,
                tables::KeyType::Bool => KeyType::Bool,
                tables::KeyType::Numeric => KeyType::Numeric,
                tables::KeyType::Date => KeyType::Date,
                tables::KeyType::IpAddress => KeyType::IpAddress,
            },
            multivalued: key.multivalued,
        })
    }

    fn similar_condition_key(&self, name: &str) -> Option<&str> {
        tables::similar_condition_key(name)
    }

    fn action_knows_key(&self, service: &str, action: &str, key: &str) -> bool {
        let action = tables::service(service).and_then(|service| service.action(action));
        action.is_none_or(|action| {
            action.is_valid_condition_key(key)
                || as_written(key).any(|key| action.is_valid_condition_key(&key))
        })
    }

    fn action_lists_key(&self, service: &str, action: &str, key: &str) -> bool {
        let action = tables::service(service).and_then(|service| service.action(action));
        action.is_some_and(|action| {
            let mut keys = action.condition_keys();
            keys.any(|known| known.matches(key) || as_written(key).any(|key| known.matches(&key)))
        })
    }

    fn service_knows_key(&self, service: &str, key: &str) -> bool {
        let Some(service) = tables::service(service) else {
            return true;
        };
        let lists = |key: &str| service.condition_key(key).is_some();
        // Keys that the service does not list are global or of a provider, with every action
        // or with none.
        let mut actions = service.actions();
        lists(key)
            || as_written(key).any(|key| lists(&key))
            || actions
                .next()
                .is_some_and(|action| action.is_valid_condition_key(key))
    }
}

#[cfg(test)]
mod tests {
    use policy::{Document, DocumentKind};
    use serde_json::json;

    use super::*;
    use crate::codes::Code;
    use crate::lint;

    /// The findings about service principals in a trust policy.
    fn judged(services: &[&str]) -> Vec<(String, String)> {
        let text = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": services}, "Action": "sts:AssumeRole"}]});
        let document = Document::parse_language(&text.to_string(), DocumentKind::Trust).unwrap();
        let findings = lint(&document, &AwsCatalogue).into_iter();
        let principals = findings.filter(|f| {
            matches!(
                f.code,
                Code::InvalidServicePrincipal | Code::InvalidServicePrincipalFormat
            )
        });
        principals.map(|f| (f.message, f.help)).collect()
    }

    /// From the services' guides and AWS's managed policies: the names that differ most from an
    /// action's prefix.
    #[test]
    fn knows_documented_service_principals() {
        let documented = [
            "agentless.inspector2.amazonaws.com",
            "airflow-env.amazonaws.com",
            "alexa-appkit.amazon.com",
            "alexa-connectedhome.amazon.com",
            "apidestinations.events.amazonaws.com",
            "application-insights.amazonaws.com",
            "application-signals.cloudwatch.amazonaws.com",
            "autoscaling.amazonaws.com.cn",
            "billingreports.amazonaws.com",
            "build.apprunner.amazonaws.com",
            "cassandra-streams.amazonaws.com",
            "channels.lexv2.amazonaws.com",
            "cks.kms.amazonaws.com",
            "cloudwatch-crossaccount.amazonaws.com",
            "codedeploy.us-east-1.amazonaws.com",
            "config-conforms.amazonaws.com",
            "config-multiaccountsetup.amazonaws.com",
            "continuousexport.discovery.amazonaws.com",
            "cost-optimization-hub.bcm.amazonaws.com",
            "costalerts.amazonaws.com",
            "credentials.iot.amazonaws.com",
            "custom-resource.application-autoscaling.amazonaws.com",
            "delivery.logs.amazonaws.com",
            "dms.amazonaws.com",
            "dynamodb.application-autoscaling.amazonaws.com",
            "ec2.application-status-checks.amazonaws.com",
            "ec2.capacitymanager.amazonaws.com",
            "ec2fastlaunch.amazonaws.com",
            "ec2fleet.amazonaws.com",
            "ec2scheduled.amazonaws.com",
            "ecs-tasks.amazonaws.com",
            "edgelambda.amazonaws.com",
            "eks-fargate-pods.amazonaws.com",
            "eks-nodegroup.amazonaws.com",
            "elasticmapreduce.amazonaws.com.cn",
            "email.cognito-idp.amazonaws.com",
            "emr-serverless.amazonaws.com",
            "events.amazonaws.com",
            "export.rds.amazonaws.com",
            "kinesis.us-gov-west-1.amazonaws.com",
            "lex.amazonaws.com",
            "license-manager.member-account.amazonaws.com",
            "logdelivery.elasticloadbalancing.amazonaws.com",
            "logdelivery.elb.amazonaws.com",
            "logger.cloudfront.amazonaws.com",
            "logs.us-east-1.amazonaws.com",
            "macie.amazonaws.com",
            "malware-protection-plan.guardduty.amazonaws.com",
            "member.org.stacksets.cloudformation.amazonaws.com",
            "metering-marketplace.amazonaws.com",
            "monitoring.rds.amazonaws.com",
            "mq.amazonaws.com",
            "mturk-requester.amazonaws.com",
            "opensearchservice.amazonaws.com",
            "ops.apigateway.amazonaws.com",
            "opsworks.amazonaws.com",
            "osis-pipelines.amazonaws.com",
            "permission.iq.amazonaws.com",
            "pods.eks.amazonaws.com",
            "private-marketplace.marketplace.amazonaws.com",
            "profile.amazonaws.com",
            "replicator.lambda.amazonaws.com",
            "reporting.trustedadvisor.amazonaws.com",
            "s3.amazonaws.com",
            "scraper.aps.amazonaws.com",
            "spot.amazonaws.com",
            "spotfleet.amazonaws.com",
            "ssm.integrations.amazonaws.com",
            "stacksets.cloudformation.amazonaws.com",
            "states.us-west-2.amazonaws.com",
            "storage-lens.s3.amazonaws.com",
            "streams.metrics.cloudwatch.amazonaws.com",
            "tagpolicies.tag.amazonaws.com",
            "transcribe.streaming.amazonaws.com",
            "transitgateway.amazonaws.com",
            "vmie.amazonaws.com",
            "voiceconnector.chime.amazonaws.com",
            "vpc-flow-logs.amazonaws.com",
            "vpc-lattice.amazonaws.com",
        ];
        assert_eq!(judged(&documented), []);
    }

    #[test]
    fn finds_misspelt_service_principals() {
        for (name, meant) in [
            ("lamda.amazonaws.com", "`lambda.amazonaws.com`"),
            ("lambda.amazonaws.com.com", "`lambda.amazonaws.com`"),
            ("ec2.amazon.com", "`ec2.amazonaws.com`"),
            ("ecs-task.amazonaws.com", "`ecs-tasks.amazonaws.com`"),
            ("lambda.aws.com", "`lambda.amazonaws.com`"),
            ("amazonaws.com", "write the service in lower case"),
            ("us-east-1.amazonaws.com", "in the service's guide"),
        ] {
            let found = judged(&[name]);
            assert_eq!(found.len(), 1, "{name}");
            assert!(found[0].1.contains(meant), "{name}: {}", found[0].1);
        }
    }
}
