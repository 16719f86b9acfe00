//! The service `berth`: every operation with what it needs (`docs/reference/berth-service.md`) and the
//! domain function that does it.

use std::sync::Arc;

use authz::{Caller, Requirements, ResourceSelector, require, require_action};
use aws_api::berth::{self, ops};

use super::row::{Revokes, by_input, row};
use super::{
    Row, backups, collection, events, insight, integrity, peers, pull_through, search, simulation,
    tokens,
};
use crate::app::App;
use crate::error::ApiError;
use crate::head::Head;
use crate::read_only;

/// `op!(Name, function, Level, |input| requirements)`: the action is `berth:Name`.
macro_rules! op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Berth,
            ops::$op,
            concat!("berth:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.identity.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

/// The same for a function of the registry.
macro_rules! registry_op {
    ($op:ident, $function:ident, $access:ident, |$input:ident| $requirements:expr) => {
        row!(
            Berth,
            ops::$op,
            concat!("berth:", stringify!($op)),
            $access,
            |$input| $requirements,
            |app, ok| {
                let (proof, input) = ok.into_parts();
                let answer = app.registry.$function(&proof, input).await;
                answer.map_err(Into::into)
            }
        )
    };
}

fn repository(registry: &Option<String>, name: &str) -> ResourceSelector {
    ResourceSelector::Repository {
        registry: registry.clone(),
        name: name.to_owned(),
    }
}

/// A restored tag is a push of an image that is there: who may not push by `ecr:PutImage` may not move tags
/// by this operation either.
fn restore(i: &berth::RestoreTagRequest) -> Requirements {
    let of = || repository(&i.registry_id, &i.repository_name);
    require(of()).and("ecr:PutImage", of())
}

/// A registry as a whole is a matter of its own account: what another one asks is decided on the registry's
/// repositories, whose owner would have to allow it as well.
fn of_registry(registry: &Option<String>) -> Requirements {
    match registry {
        Some(account) => require(ResourceSelector::Repository {
            registry: Some(account.clone()),
            name: "*".to_owned(),
        }),
        None => require(ResourceSelector::Any),
    }
}

fn host(id: &str) -> Requirements {
    require(ResourceSelector::Host(id.to_owned()))
}

fn host_arn(arn: &str) -> Requirements {
    require(ResourceSelector::HostArn(arn.to_owned()))
}

/// The mode of a repository, or of the whole server.
fn mode(registry: &Option<String>, repository: &Option<String>) -> Requirements {
    require(match repository {
        None => ResourceSelector::Any,
        Some(name) => ResourceSelector::Repository {
            registry: registry.clone(),
            name: name.clone(),
        },
    })
}

/// Who invites a host passes the profile's role to it, as who starts an instance does (IAM User Guide, "Grant
/// a user permissions to pass a role to an AWS service").
fn invite(i: &berth::CreateHostInvitationRequest) -> Requirements {
    let role = ResourceSelector::RoleOfProfile(i.instance_profile_name.clone());
    host("*")
        .and("iam:PassRole", role)
        .key("iam:PassedToService", "ec2.amazonaws.com")
        .tags(&i.tags)
}

/// A host has no policies: the trust policy of its role decides, as when EC2 assumes the role for an
/// instance.
fn assume_role() -> Requirements {
    require_action("sts:AssumeRole", ResourceSelector::RoleOfHost)
}

async fn joining(
    app: &App,
    head: &Head,
    input: &berth::JoinHostRequest,
) -> Result<Arc<Caller>, ApiError> {
    let _turn = app.admission.turn(&head.party).await;
    Ok(app.identity.joining_host(input, head.now).await?)
}

async fn proven(
    app: &App,
    head: &Head,
    input: &berth::GetHostCredentialsRequest,
) -> Result<Arc<Caller>, ApiError> {
    let _turn = app.admission.turn(&head.party).await;
    Ok(app.identity.proven_host(input, head.now).await?)
}

/// The operations that are built.
#[rustfmt::skip] // one line for each operation
pub(super) fn table() -> Vec<Row> {
    vec![
        op!(CreateHostInvitation, create_host_invitation, Write, |i| invite(i)).audits_answer(),
        op!(ListHosts, list_hosts, List, |_i| require(ResourceSelector::Any)),
        op!(DescribeHost, describe_host, Read, |i| host(&i.host_id)),
        op!(RevokeHost, revoke_host, Write, |i| host(&i.host_id)).revokes(Revokes::Always),
        op!(TagResource, tag_host, Tagging, |i| host_arn(&i.resource_arn).tags(&i.tags)),
        op!(UntagResource, untag_host, Tagging, |i| host_arn(&i.resource_arn).list("aws:TagKeys", Some(&i.tag_keys))),
        op!(ListTagsForResource, list_tags_of_host, Read, |i| host_arn(&i.resource_arn)),
        op!(JoinHost, join_host, Write, |_i| assume_role()).audits_answer().proved_by_input(by_input!(ops::JoinHost, joining)),
        op!(GetHostCredentials, get_host_credentials, Read, |_i| assume_role()).audits_answer().proved_by_input(by_input!(ops::GetHostCredentials, proven)),
        op!(ListDenials, list_denials, List, |_i| require(ResourceSelector::Any)),
        op!(ListDenialGroups, list_denial_groups, List, |_i| require(ResourceSelector::Any)),
        row!(Berth, ops::ProposeChange, "berth:ProposeChange", Read, |_i| require(ResourceSelector::Any), |app, ok| { insight::propose_change(&app, ok).await }),
        row!(Berth, ops::ListAllowedPrincipals, "berth:ListAllowedPrincipals", List, |_i| require(ResourceSelector::Any), |app, ok| { insight::list_allowed_principals(&app, ok).await }),
        row!(Berth, ops::SimulateRequest, "berth:SimulateRequest", Read, |i| simulation::requires(i), |app, ok| { simulation::simulate_request(&app, ok).await }),
        registry_op!(ListTagHistory, list_tag_history, List, |i| require(repository(&i.registry_id, &i.repository_name))),
        registry_op!(GetLifecycleOptions, get_lifecycle_options, Read, |i| require(repository(&i.registry_id, &i.repository_name))),
        registry_op!(PutLifecycleOptions, put_lifecycle_options, Write, |i| require(repository(&i.registry_id, &i.repository_name))),
        registry_op!(RestoreTag, restore_tag, Write, |i| restore(i)).audits_answer(),
        registry_op!(ListImagePulls, list_image_pulls, List, |i| require(repository(&i.registry_id, &i.repository_name))),
        registry_op!(BatchGetImageActivity, batch_get_image_activity, Read, |i| require(repository(&i.registry_id, &i.repository_name))),
        registry_op!(GetUsage, get_usage, Read, |i| of_registry(&i.registry_id)),
        registry_op!(ListRepositoryUsage, list_repository_usage, List, |i| of_registry(&i.registry_id)),
        registry_op!(ListPrincipalUsage, list_principal_usage, List, |i| of_registry(&i.registry_id)),
        row!(Berth, ops::SearchImages, "berth:SearchImages", List, |i| of_registry(&i.registry_id), |app, ok| { search::search_images(&app, ok).await }),
        row!(Berth, ops::GetReadOnlyMode, "berth:GetReadOnlyMode", Read, |i| mode(&i.registry_id, &i.repository_name), |app, ok| { read_only::get(&app, ok).await }),
        row!(Berth, ops::PutReadOnlyMode, "berth:PutReadOnlyMode", Write, |i| mode(&i.registry_id, &i.repository_name), |app, ok| { read_only::put(&app, ok).await }).ends_read_only(),
        row!(Berth, ops::GetRegistryToken, "berth:GetRegistryToken", Read, |i| tokens::requires(i), |app, ok| { tokens::get_registry_token(&app, ok).await }),
        row!(Berth, ops::PutEventTarget, "berth:PutEventTarget", Write, |i| events::target(&i.target_name), |app, ok| { events::put_event_target(&app, ok).await }).audits_answer(),
        row!(Berth, ops::ListEventTargets, "berth:ListEventTargets", List, |_i| require(ResourceSelector::Any), |app, ok| { events::list_event_targets(&app, ok).await }),
        row!(Berth, ops::DescribeEventTarget, "berth:DescribeEventTarget", Read, |i| events::target(&i.target_name), |app, ok| { events::describe_event_target(&app, ok).await }),
        row!(Berth, ops::DeleteEventTarget, "berth:DeleteEventTarget", Write, |i| events::target(&i.target_name), |app, ok| { events::delete_event_target(&app, ok).await }),
        row!(Berth, ops::TestEventTarget, "berth:TestEventTarget", Write, |i| events::target(&i.target_name), |app, ok| { events::test_event_target(&app, ok).await }).audits_answer(),
        row!(Berth, ops::ListFailedEventDeliveries, "berth:ListFailedEventDeliveries", List, |i| events::targets(i.target_name.as_deref()), |app, ok| { events::list_failed_event_deliveries(&app, ok).await }),
        row!(Berth, ops::RetryFailedEventDeliveries, "berth:RetryFailedEventDeliveries", Write, |i| events::target(&i.target_name), |app, ok| { events::retry_failed_event_deliveries(&app, ok).await }).audits_answer(),
        row!(Berth, ops::PurgeFailedEventDeliveries, "berth:PurgeFailedEventDeliveries", Write, |i| events::target(&i.target_name), |app, ok| { events::purge_failed_event_deliveries(&app, ok).await }).audits_answer(),
        row!(Berth, ops::PutPullThroughCacheSettings, "berth:PutPullThroughCacheSettings", Write, |i| pull_through::settings(i), |app, ok| { pull_through::put_settings(&app, ok).await }),
        row!(Berth, ops::DescribePullThroughCacheSettings, "berth:DescribePullThroughCacheSettings", List, |_i| require(ResourceSelector::Any), |app, ok| { pull_through::describe_settings(&app, ok).await }),
        row!(Berth, ops::DeletePullThroughCacheSettings, "berth:DeletePullThroughCacheSettings", Write, |_i| require(ResourceSelector::Any), |app, ok| { pull_through::delete_settings(&app, ok).await }),
        row!(Berth, ops::RefreshPullThroughCache, "berth:RefreshPullThroughCache", Write, |i| pull_through::refreshes(i), |app, ok| { pull_through::refresh(&app, ok).await }).stores_layers().audits_answer(),
        row!(Berth, ops::PutReplicationPeer, "berth:PutReplicationPeer", Write, |i| peers::peer(&i.registry_id, &i.region), |app, ok| { peers::put_replication_peer(&app, ok).await }),
        row!(Berth, ops::DeleteReplicationPeer, "berth:DeleteReplicationPeer", Write, |i| peers::peer(&i.registry_id, &i.region), |app, ok| { peers::delete_replication_peer(&app, ok).await }),
        registry_op!(DescribeReplicationPeers, describe_replication_peers, List, |_i| require(ResourceSelector::Any)),
        registry_op!(PutReplicationTagFilter, put_replication_tag_filter, Write, |_i| require(ResourceSelector::Any)),
        registry_op!(DescribeReplicationTagFilters, describe_replication_tag_filters, List, |_i| require(ResourceSelector::Any)),
        row!(Berth, ops::StartCollection, "berth:StartCollection", Write, |_i| require(ResourceSelector::Any), |app, ok| { collection::start_collection(&app, ok).await }).audits_answer(),
        row!(Berth, ops::ListCollections, "berth:ListCollections", List, |_i| require(ResourceSelector::Any), |app, ok| { collection::list_collections(&app, ok).await }),
        row!(Berth, ops::GetCollection, "berth:GetCollection", Read, |i| collection::run(&i.collection_id), |app, ok| { collection::get_collection(&app, ok).await }),
        row!(Berth, ops::StartIntegrityCheck, "berth:StartIntegrityCheck", Write, |_i| require(ResourceSelector::Any), |app, ok| { integrity::start_integrity_check(&app, ok).await }).audits_answer(),
        row!(Berth, ops::ListIntegrityChecks, "berth:ListIntegrityChecks", List, |_i| require(ResourceSelector::Any), |app, ok| { integrity::list_integrity_checks(&app, ok).await }),
        row!(Berth, ops::GetIntegrityCheck, "berth:GetIntegrityCheck", Read, |i| integrity::check(&i.integrity_check_id), |app, ok| { integrity::get_integrity_check(&app, ok).await }),
        row!(Berth, ops::StopIntegrityCheck, "berth:StopIntegrityCheck", Write, |i| integrity::check(&i.integrity_check_id), |app, ok| { integrity::stop_integrity_check(&app, ok).await }).audits_answer(),
        row!(Berth, ops::StopCollection, "berth:StopCollection", Write, |i| collection::run(&i.collection_id), |app, ok| { collection::stop_collection(&app, ok).await }).audits_answer(),
        row!(Berth, ops::StartBackup, "berth:StartBackup", Write, |_i| require(ResourceSelector::Any), |app, ok| { backups::start_backup(&app, ok).await }).audits_answer(),
        row!(Berth, ops::ListBackups, "berth:ListBackups", List, |_i| require(ResourceSelector::Any), |app, ok| { backups::list_backups(&app, ok).await }),
        row!(Berth, ops::GetBackup, "berth:GetBackup", Read, |_i| require(ResourceSelector::Any), |app, ok| { backups::get_backup(&app, ok).await }),
        row!(Berth, ops::StopBackup, "berth:StopBackup", Write, |_i| require(ResourceSelector::Any), |app, ok| { backups::stop_backup(&app, ok).await }).audits_answer(),
        row!(Berth, ops::GetRestore, "berth:GetRestore", Read, |_i| require(ResourceSelector::Any), |app, ok| { backups::get_restore(&app, ok).await }),
        row!(Berth, ops::FinishRestore, "berth:FinishRestore", Write, |_i| require(ResourceSelector::Any), |app, ok| { backups::finish_restore(&app, ok).await }).audits_answer(),
        op!(ExplainRequest, explain_request, Read, |_i| require(ResourceSelector::Any)),
        row!(Berth, ops::PutProviderSettings, "berth:PutProviderSettings", Write, |i| require(ResourceSelector::Text(i.provider_arn.clone())), |app, ok| { let (proof, input) = ok.into_parts(); Ok(app.identity.put_provider_settings(&proof, &app.names.console_origin(), input).await?) }),
        row!(Berth, ops::GetProviderSettings, "berth:GetProviderSettings", Read, |i| require(ResourceSelector::Text(i.provider_arn.clone())), |app, ok| { let (proof, input) = ok.into_parts(); Ok(app.identity.get_provider_settings(&proof, &app.names.console_origin(), input).await?) }),
    ]
}
