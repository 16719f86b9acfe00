//! What users upload to IAM beside passwords and policies: X.509 certificates with their chains and
//! private keys, and SSH public keys. They are read and checked here, and nothing is done with them.
//!
//! ```
//! use certificates::{Encoding, SshKeyError, SshPublicKey};
//!
//! // 2,048 bits, as `ssh-keygen` writes them.
//! let text = concat!(
//!     "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQChlD/EO6echzMJSiJTPkf9l6PmG7gm6op89zI3nRjA8UYFHPhnA7d3",
//!     "UhWIETywi0c8PuqwvXKDWTCYnzkZiwaVr55c5MtiAHMudCMgkRPCjwV+CMI/oEv3a9MvbqbtEeeJgKmyJHjtD6l35N/K",
//!     "9WGzFwQ+V1eyVDyO/UZJLvErX4tgw2iaUBkiiJnWsxHJMaeg+DsD94/QCQGrn9KGu7PoECYO+yp1SW1iDNomBVjieY3Q",
//!     "L204WNKSFWK0I4QiGy/OSSyrIyHU4OBWfnNnRh28ydNCUQGeGAPbdljCNRMxFrja4iXD3d4ja54LveqZoizHk23suLkU",
//!     "l0yQrS3z8dcj",
//! );
//! let key = SshPublicKey::parse(text).unwrap();
//! assert_eq!(key.encoding(), Encoding::Ssh);
//! assert_eq!(key.fingerprint(), "e0:74:6d:10:a2:6f:92:20:c0:1d:dc:7c:b2:ca:c8:07");
//! assert!(key.to_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
//! // The same key in the other encoding.
//! assert_eq!(SshPublicKey::parse(&key.to_pem()).unwrap().blob(), key.blob());
//!
//! let other = SshPublicKey::parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me");
//! assert_eq!(other.unwrap_err(), SshKeyError::Encoding);
//! ```
//!
//! # What is absent
//!
//! I/O and a clock: callers say when "now" is. Trust: a chain is checked in itself, no authority is known.

mod certificate;
mod chain;
mod pem;
mod private_key;
mod rsa;
mod ssh;

pub use certificate::{Certificate, MalformedCertificate, Validity};
pub use chain::{InvalidChain, verify_chain};
pub use private_key::{PrivateKeyError, key_matches};
pub use ssh::{Encoding, SshKeyError, SshPublicKey};
