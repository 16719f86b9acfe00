//! A registry, as decisions and the domain know it: its policy and its settings.

use std::collections::HashSet;
use std::sync::Arc;

use crate::account_setting::AccountSetting;
use crate::event_pattern::Pattern;
use crate::pull_through_rule::PullThroughRule;
use crate::replication_rules::ReplicationRules;
use crate::scan_rules::ScanRules;
use authz::{Authorized, CallerKind};
use policy::{CompiledDocument, PolicySet};

/// The policy and the settings of an account's registry in a region.
#[derive(Debug, Default)]
pub(crate) struct RegistryFacts {
    /// The registry policy within its scope.
    pub(crate) policy: Option<RegistryPolicy>,
    /// Whether a blob can be mounted from one repository into another.
    pub(crate) mounts_blobs: bool,
    /// The account settings that were put.
    pub(crate) settings: Vec<(AccountSetting, String)>,
    /// The scanning configuration.
    pub(crate) scan_rules: ScanRules,
    /// The rules of the pull through cache, in the order of their prefixes.
    pub(crate) rules: Vec<Arc<PullThroughRule>>,
    /// The replication configuration.
    pub(crate) replication: ReplicationRules,
    /// The ARNs of the users and roles whose pulls are not recorded.
    pub(crate) excluded: HashSet<String>,
    /// What the targets of its events ask for, of those that are enabled.
    pub(crate) event_patterns: Vec<Pattern>,
}

/// A registry policy: compiled, for the repositories that it is a part of, and as a set, for
/// decisions without a repository.
#[derive(Clone, Debug)]
pub(crate) struct RegistryPolicy {
    pub(crate) document: CompiledDocument,
    pub(crate) set: Arc<PolicySet>,
}

impl RegistryFacts {
    /// The bytes on the heap, for a cache that is bounded in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        // The text's own block and its place in the table.
        const ENTRY_BYTES: usize = 64;
        let policy = self
            .policy
            .as_ref()
            .map_or(0, |policy| policy.set.heap_bytes());
        let excluded = self.excluded.iter().map(|arn| arn.len() + ENTRY_BYTES);
        let patterns = self.event_patterns.iter().map(Pattern::heap_bytes);
        let rules = self.rules.iter().map(|rule| rule.heap_bytes());
        policy
            + excluded.sum::<usize>()
            + patterns.sum::<usize>()
            + rules.sum::<usize>()
            + self.scan_rules.heap_bytes()
            + self.replication.heap_bytes()
    }

    /// The value of an account setting.
    pub(crate) fn setting(&self, setting: AccountSetting) -> &str {
        let put = self.settings.iter().find(|(known, _)| *known == setting);
        put.map_or(setting.default_value(), |(_, value)| value)
    }

    /// Whether the caller's pulls count as pulls of an image (ECR API,
    /// `RegisterPullTimeUpdateExclusion`).
    pub(crate) fn records_pulls_of(&self, cx: &Authorized) -> bool {
        if self.excluded.is_empty() {
            return true;
        }
        let caller = &cx.context().caller;
        let arn = match &caller.kind {
            CallerKind::RoleSession { role_arn, .. } => role_arn.as_str(),
            _ => &caller.arn,
        };
        !self.excluded.contains(arn)
    }
}
