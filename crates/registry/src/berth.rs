//! The operations of the service `berth` on repositories and images: one function an operation, from the
//! generated request to the generated response.

mod history;
mod lifecycle_options;
