//! What a request is allowed to do, in the words of token services.

#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Nothing: whether the credentials are taken.
    Login,
    Catalog,
    Pull(&'a str),
    Push(&'a str),
    Mount(&'a str, &'a str),
}

impl std::fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::Login => Ok(()),
            Scope::Catalog => f.write_str("registry:catalog:*"),
            Scope::Pull(repository) => write!(f, "repository:{repository}:pull"),
            Scope::Push(repository) => write!(f, "repository:{repository}:pull,push"),
            Scope::Mount(repository, from) => {
                write!(
                    f,
                    "repository:{repository}:pull,push repository:{from}:pull"
                )
            }
        }
    }
}
