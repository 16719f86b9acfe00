//! Attributes of tests. They are procedural, since only the body of an ordinary function is formatted
//! by rustfmt; that of a macro's argument is not.
//!
//! ```text
//! use store::testing::{TestStore, on_every_engine};
//!
//! #[on_every_engine]
//! async fn a_name_is_taken_once(t: TestStore) { … }
//! ```
//!
//! makes the tests `a_name_is_taken_once::sqlite` and `a_name_is_taken_once::postgres`. The function stays
//! as it is; the module beside it has its name, which functions and modules do not share.
//!
//! # What is absent
//! No parser: of the function only its name is needed, the word behind `fn`.

use proc_macro::{TokenStream, TokenTree};

/// Runs an `async fn name(t: store::testing::TestStore)` on a fresh database of each engine.
#[proc_macro_attribute]
pub fn on_every_engine(_arguments: TokenStream, function: TokenStream) -> TokenStream {
    let is_fn =
        |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn");
    let name = function
        .clone()
        .into_iter()
        .skip_while(|token| !is_fn(token))
        .nth(1);
    let added = match name {
        Some(TokenTree::Ident(name)) => tests_of(&name.to_string()),
        _ => "compile_error!(\"`#[on_every_engine]` is for functions\");".to_owned(),
    };
    let added: TokenStream = added.parse().expect("the text is Rust");
    [function, added].into_iter().collect()
}

fn tests_of(name: &str) -> String {
    let test = |engine: &str| {
        format!(
            "#[::tokio::test(flavor = \"multi_thread\", worker_threads = 2)]
             async fn {engine}() {{ super::{name}(::store::testing::{engine}().await).await; }}"
        )
    };
    format!("mod {name} {{ {} {} }}", test("sqlite"), test("postgres"))
}
