//! The kinds of policy documents.

/// What a document is attached to. The kind decides which elements it may hold,
/// how large it may be, and with which words it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum DocumentKind {
    /// A customer managed policy (IAM `CreatePolicy`).
    Managed,
    /// An inline policy of a user (IAM `PutUserPolicy`).
    InlineUser,
    /// An inline policy of a group (IAM `PutGroupPolicy`).
    InlineGroup,
    /// An inline policy of a role (IAM `PutRolePolicy`).
    InlineRole,
    /// A role's trust policy (IAM `CreateRole`, `UpdateAssumeRolePolicy`).
    Trust,
    /// An inline session policy (STS `AssumeRole`, `GetFederationToken`).
    Session,
    /// A managed policy in its use as a permissions boundary.
    PermissionsBoundary,
    /// A service control policy (Organizations).
    ServiceControl,
    /// A resource control policy (Organizations).
    ResourceControl,
    /// An ECR repository policy (`SetRepositoryPolicy`).
    EcrRepository,
    /// An ECR registry policy (`PutRegistryPolicy`).
    EcrRegistry,
    /// Any other resource policy.
    Resource,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [DocumentKind; 12] = [
        DocumentKind::Managed,
        DocumentKind::InlineUser,
        DocumentKind::InlineGroup,
        DocumentKind::InlineRole,
        DocumentKind::Trust,
        DocumentKind::Session,
        DocumentKind::PermissionsBoundary,
        DocumentKind::ServiceControl,
        DocumentKind::ResourceControl,
        DocumentKind::EcrRepository,
        DocumentKind::EcrRegistry,
        DocumentKind::Resource,
    ];

    /// The name that the command line uses.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// What it is, in some words.
    pub fn about(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            DocumentKind::Managed => ("managed", "A customer managed policy"),
            DocumentKind::InlineUser => ("inline-user", "An inline policy of a user"),
            DocumentKind::InlineGroup => ("inline-group", "An inline policy of a group"),
            DocumentKind::InlineRole => ("inline-role", "An inline policy of a role"),
            DocumentKind::Trust => ("trust", "A role's trust policy"),
            DocumentKind::Session => ("session", "A session policy"),
            DocumentKind::PermissionsBoundary => ("permissions-boundary", "A permissions boundary"),
            DocumentKind::ServiceControl => ("service-control", "A service control policy (SCP)"),
            DocumentKind::ResourceControl => {
                ("resource-control", "A resource control policy (RCP)")
            }
            DocumentKind::EcrRepository => ("ecr-repository", "An ECR repository policy"),
            DocumentKind::EcrRegistry => ("ecr-registry", "An ECR registry policy"),
            DocumentKind::Resource => ("resource", "Any other resource policy"),
        }
    }
}

impl std::str::FromStr for DocumentKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<DocumentKind, UnknownKind> {
        let mut all = DocumentKind::ALL.into_iter();
        all.find(|kind| kind.name() == name).ok_or(UnknownKind)
    }
}

/// The name of no [`DocumentKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such kind of policy; the kinds are managed, inline-user, inline-group, inline-role, \
         trust, session, permissions-boundary, service-control, resource-control, ecr-repository, \
         ecr-registry and resource"
)]
pub struct UnknownKind;
