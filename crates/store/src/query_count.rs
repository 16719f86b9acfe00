//! How many queries a future runs, for tests that compare what two requests cost.

use std::cell::Cell;

tokio::task_local! {
    static QUERIES: Cell<u64>;
}

/// What the future returns, and how many queries it ran. Queries of tasks that it spawns are not
/// counted.
pub async fn count_queries<F: Future>(future: F) -> (F::Output, u64) {
    let counted = async {
        let output = future.await;
        (output, QUERIES.with(Cell::get))
    };
    QUERIES.scope(Cell::new(0), counted).await
}

/// Counts a query of the task that asked for it to be counted.
pub(crate) fn count_query() {
    // An error means that queries are not being counted.
    let _ = QUERIES.try_with(|queries| queries.set(queries.get() + 1));
}
