//! IAM's principals for the registry, which does not depend on IAM.
//!
//! The principals of repository and registry policies are looked up and pinned by the same function as
//! those of trust policies: [`identity::Identity::pin_principal`].

use identity::{Identity, PinnedPrincipal};
use registry::{BoxFuture, Pinned, Principals};

use crate::error::chain;

/// [`Principals`] over the identity domain.
#[derive(Clone)]
pub struct IamPrincipals(pub Identity);

impl Principals for IamPrincipals {
    fn pin<'a>(&'a self, principal: &'a str) -> BoxFuture<'a, Result<Pinned, String>> {
        Box::pin(async move {
            let pinned = self.0.pin_principal(principal).await;
            Ok(match pinned.map_err(|error| chain(&error))? {
                PinnedPrincipal::AsWritten => Pinned::AsIs,
                PinnedPrincipal::UniqueId(id) => Pinned::Id(id),
                PinnedPrincipal::Unknown => Pinned::Unknown,
            })
        })
    }

    fn show<'a>(&'a self, stored: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move {
            let arn = self.0.unpin_principal(stored).await;
            arn.map_err(|error| chain(&error))
        })
    }
}
