//! The server as its clients meet it, over a loopback socket, and the authorization step on its own.

mod audit;
mod columns;
mod coverage;
mod credentials;
mod degraded;
mod golden;
mod hostile;
mod hosts;
mod input_members;
mod matrix;
mod mfa;
mod named_principals;
mod operations;
mod other_services;
mod permissions;
mod redirects;
mod registry_conditions;
mod registry_routes;
mod resource_policies;
mod saml;
mod sample;
mod scoped_credentials;
mod transport;
mod unavailable;
mod world;
