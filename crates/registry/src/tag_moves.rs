//! The row that each move of a tag leaves, in the transaction that moves it.

use authz::ServiceName;
use store::Conn;
use store::ecr::tag_move::{self, TagMove};

use crate::Authorized;
use crate::who::Who;

/// How a tag was moved: a closed list, whose words are stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveMethod {
    /// A new image was pushed by the OCI API.
    Push,
    /// A new image was pushed by `PutImage`.
    PutImage,
    /// The tag was given to an image that the repository had already, by either API.
    Retag,
    /// The tag, or its image, was deleted.
    Delete,
    /// A lifecycle policy did it.
    Lifecycle,
    /// Another registry's move was repeated.
    Replication,
    /// An earlier target was restored.
    Restore,
    /// A pull brought it from an upstream registry.
    PullThrough,
}

impl MoveMethod {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            MoveMethod::Push => "PUSH",
            MoveMethod::PutImage => "PUT_IMAGE",
            MoveMethod::Retag => "RETAG",
            MoveMethod::Delete => "DELETE",
            MoveMethod::Lifecycle => "LIFECYCLE",
            MoveMethod::Replication => "REPLICATION",
            MoveMethod::Restore => "RESTORE",
            MoveMethod::PullThrough => "PULL_THROUGH",
        }
    }
}

/// Who moves tags in a transaction, when, and how.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    method: MoveMethod,
    at: i64,
    who: Option<Who>,
    service: Option<ServiceName>,
    request_id: Option<String>,
}

impl Cause {
    /// A caller's request.
    pub(crate) fn caller(cx: &Authorized, method: MoveMethod) -> Cause {
        Cause {
            method,
            at: cx.now_ms(),
            who: Some(Who::of(&cx.caller)),
            service: None,
            request_id: Some(cx.request_id.to_string()),
        }
    }

    /// The server's own work.
    pub(crate) fn service(service: ServiceName, method: MoveMethod, at: i64) -> Cause {
        Cause {
            method,
            at,
            who: None,
            service: Some(service),
            request_id: None,
        }
    }

    /// When they are moved, in milliseconds since the epoch.
    pub(crate) fn at(&self) -> i64 {
        self.at
    }

    /// Writes down that a tag moved.
    pub(crate) async fn record(
        &self,
        conn: &mut Conn<'_>,
        repository_id: i64,
        tag: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> store::Result<()> {
        let who = self.who.as_ref();
        let new = TagMove {
            id: 0,
            tag: tag.to_owned(),
            moved_at: self.at,
            method: self.method.as_str().to_owned(),
            from_digest: from.map(str::to_owned),
            to_digest: to.map(str::to_owned),
            principal: who.map(|who| who.principal.clone()),
            session_name: who.and_then(|who| who.session_name.clone()),
            service: self.service.map(|service| service.as_str().to_owned()),
            request_id: self.request_id.clone(),
        };
        tag_move::insert(conn, repository_id, &new).await
    }
}
