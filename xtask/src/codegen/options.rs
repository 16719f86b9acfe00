//! The command's options.

use std::path::PathBuf;

/// What `cargo xtask codegen` was asked to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Compare only, write nothing.
    pub check: bool,
    /// Print what this botocore version (`latest` for the newest) would change.
    pub diff: Option<String>,
    /// botocore's `data` folder, instead of fetching the package.
    pub models: Option<PathBuf>,
    /// The unpacked package of the authorization tables, instead of fetching it.
    pub iam_data: Option<PathBuf>,
    /// The folder that `moto` is installed in, instead of fetching the package.
    pub moto: Option<PathBuf>,
}

impl Options {
    pub fn parse(args: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            match *arg {
                "--check" => options.check = true,
                "--diff" => {
                    let version = args.next_if(|next| !next.starts_with("--"));
                    options.diff = Some(version.unwrap_or(&"latest").to_string());
                }
                "--models" => {
                    let dir = args
                        .next()
                        .ok_or("--models needs a folder (botocore's `data`)")?;
                    options.models = Some(PathBuf::from(dir));
                }
                "--iam-data" => {
                    let dir = args
                        .next()
                        .ok_or("--iam-data needs a folder (the unpacked package)")?;
                    options.iam_data = Some(PathBuf::from(dir));
                }
                "--moto" => {
                    let dir = args
                        .next()
                        .ok_or("--moto needs a folder (the one that moto is installed in)")?;
                    options.moto = Some(PathBuf::from(dir));
                }
                other => {
                    return Err(format!(
                        "unknown option `{other}` (--check, --diff [VERSION], --models DIR, --iam-data DIR, --moto DIR)"
                    ));
                }
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_takes_an_optional_version() -> Result<(), String> {
        let diff = |args: &[&str]| Options::parse(args).map(|options| options.diff);
        assert_eq!(diff(&["--diff"])?, Some("latest".to_owned()));
        assert_eq!(diff(&["--diff", "1.44.9"])?, Some("1.44.9".to_owned()));
        assert_eq!(diff(&["--diff", "--check"])?, Some("latest".to_owned()));
        assert_eq!(diff(&["--check"])?, None);
        assert!(diff(&["--what"]).is_err());
        Ok(())
    }
}
