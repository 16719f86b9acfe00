//! The command line as data: arguments, environment and file in; settings or an error out.

use super::*;
use crate::cli::{Command, ServeOptions};

/// One run: the arguments after `berth`, the environment, the file's text.
struct Case<'a> {
    args: &'a [&'a str],
    env: &'a [(&'a str, &'a str)],
    file: Option<&'a str>,
}

fn run(case: &Case<'_>) -> Result<Cli, Stop> {
    let dir = tempfile::tempdir().unwrap();
    let mut args: Vec<OsString> = vec!["berth".into()];
    args.extend(case.args.iter().map(OsString::from));
    if let Some(text) = case.file {
        let path = dir.path().join("berth.toml");
        std::fs::write(&path, text).unwrap();
        args.push("--config".into());
        args.push(path.into());
    }
    parse(args, |name| {
        let found = case.env.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

fn serve(case: &Case<'_>) -> ServeOptions {
    match run(case).expect("it must parse").command {
        Command::Serve(options) => *options,
        other => panic!("not serve: {other:?}"),
    }
}

fn usage(case: &Case<'_>) -> String {
    match run(case) {
        Err(Stop::Usage(text)) => text,
        other => panic!("it must be refused: {other:?}"),
    }
}

#[test]
fn defaults_are_the_contracts() {
    let options = serve(&Case {
        args: &["serve"],
        env: &[],
        file: None,
    });
    assert_eq!(options.listen, [crate::cli::DEFAULT_LISTEN]);
    assert_eq!(options.storage.data_dir, Path::new("./berth-data"));
    assert_eq!(options.region.as_str(), "us-east-1");
    assert_eq!(options.account_id.as_str(), "123456789012");
    assert!(options.storage.database.is_none() && options.blobs.is_none());
    assert!(options.public_url.is_none() && options.tls_cert.is_none());
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let file = Some("region = \"eu-west-1\"");
    let env: &[(&str, &str)] = &[("BERTH_REGION", "eu-west-2")];
    for (args, env, file, region) in [
        (
            &["serve", "--region", "eu-west-3"][..],
            env,
            file,
            "eu-west-3",
        ),
        (&["serve"], env, file, "eu-west-2"),
        (&["serve"], &[], file, "eu-west-1"),
        (&["serve"], &[("BERTH_REGION", "")], file, "eu-west-1"),
        (&["serve"], &[], None, "us-east-1"),
    ] {
        let options = serve(&Case { args, env, file });
        assert_eq!(options.region.as_str(), region, "{args:?} {env:?} {file:?}");
    }
}

#[test]
fn several_addresses_replace_those_of_the_layer_below() {
    let file = Some("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]");
    for (args, env, ports) in [
        (&["serve"][..], &[][..], &[1, 2][..]),
        (
            &["serve"],
            &[("BERTH_LISTEN", "127.0.0.1:3, [::1]:4")],
            &[3, 4],
        ),
        (
            &["serve", "--listen", "127.0.0.1:5"],
            &[("BERTH_LISTEN", "127.0.0.1:3")],
            &[5],
        ),
    ] {
        let options = serve(&Case { args, env, file });
        let found: Vec<u16> = options
            .listen
            .iter()
            .map(std::net::SocketAddr::port)
            .collect();
        assert_eq!(found, ports, "{args:?} {env:?}");
    }
}

#[test]
fn every_option_of_serve_stands_in_file_and_environment() {
    for (key, value) in [
        ("data-dir", "/srv/berth"),
        ("database", "postgres://berth@localhost/berth"),
        ("master-key-file", "/srv/key"),
        ("listen", "127.0.0.1:7"),
        ("blobs", "dir:/srv/blobs"),
        ("public-url", "https://registry.example.com"),
        ("region", "eu-central-1"),
        ("account-id", "111122223333"),
        ("tls-cert", "/srv/cert.pem"),
        ("tls-key", "/srv/key.pem"),
        ("log", "debug"),
    ] {
        let changed = |case: &Case<'_>| {
            let cli = run(case).expect("it must parse");
            format!("{cli:?}")
        };
        let plain = changed(&Case {
            args: &["serve"],
            env: &[],
            file: Some(""),
        });
        let file = changed(&Case {
            args: &["serve"],
            env: &[],
            file: Some(&format!("{key} = \"{value}\"")),
        });
        let env = changed(&Case {
            args: &["serve"],
            env: &[(&variable(key), value)],
            file: Some(""),
        });
        // The file's path is part of the settings and differs from run to run.
        let masked = |text: &str| {
            let (head, tail) = text.split_once("config: Some(\"").unwrap();
            format!("{head}{}", tail.split_once('"').unwrap().1)
        };
        assert_eq!(masked(&file), masked(&env), "{key}");
        assert_ne!(masked(&plain), masked(&file), "{key} changes nothing");
    }
}

#[test]
fn the_master_keys_two_options_hide_each_other() {
    let (a, b) = ("BERTH_MASTER_KEY_FILE", "BERTH_MASTER_KEY_COMMAND");
    let (file, command) = ("master-key-file = \"/f\"", "master-key-command = \"c\"");
    for (args, env, text, is_file) in [
        (
            &["serve", "--master-key-file", "/x"][..],
            &[(b, "c")][..],
            command,
            true,
        ),
        (
            &["serve", "--master-key-command", "x"],
            &[(a, "/f")],
            file,
            false,
        ),
        (&["serve"], &[(a, "/f")], command, true),
        (&["serve"], &[(b, "c")], file, false),
        (&["serve"], &[], file, true),
    ] {
        let file = Some(text);
        let storage = serve(&Case { args, env, file }).storage;
        assert_eq!(
            storage.master_key_file.is_some(),
            is_file,
            "{args:?} {env:?} {file:?}"
        );
        assert_eq!(
            storage.master_key_command.is_some(),
            !is_file,
            "{args:?} {env:?} {file:?}"
        );
    }
    let both = format!("{file}\n{command}");
    let args = &["serve"];
    for (env, file) in [
        (&[][..], Some(both.as_str())),
        (&[(a, "/f"), (b, "c")], None),
    ] {
        assert!(usage(&Case { args, env, file }).contains("exclude each other"));
    }
}

#[test]
fn the_servers_file_does_not_name_the_account_to_make() {
    let case = Case {
        args: &["account", "create"],
        env: &[("BERTH_ACCOUNT_ID", "111122223333")],
        file: Some("account-id = \"111122223333\""),
    };
    assert!(usage(&case).contains("--account-id"), "{}", usage(&case));
    let case = Case {
        args: &["account", "create", "--account-id", "444455556666"],
        env: &[],
        file: Some("account-id = \"111122223333\"\ndata-dir = \"/srv\""),
    };
    match run(&case).unwrap().command {
        Command::Account(crate::cli::AccountCommand::Create(options)) => {
            assert_eq!(options.account_id.as_str(), "444455556666");
            assert_eq!(options.storage.data_dir, Path::new("/srv"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn refusals_say_what_and_where_on_one_line() {
    for (args, env, file, words) in [
        (
            &["serve", "--nonsense"][..],
            &[][..],
            None,
            &["--nonsense", "--help"][..],
        ),
        (
            &["serve", "--region", "Mars!"],
            &[],
            None,
            &["Mars!", "--region"],
        ),
        (
            &["serve", "--listen", "5000"],
            &[],
            None,
            &["5000", "--listen"],
        ),
        (
            &["serve"],
            &[("BERTH_ACCOUNT_ID", "12")],
            None,
            &["the environment", "--account-id", "12"],
        ),
        (
            &["serve"],
            &[],
            Some("account-id = \"12\""),
            &["berth.toml", "--account-id", "12"],
        ),
        (
            &["serve"],
            &[],
            Some("colour = 1"),
            &["berth.toml", "unknown key `colour`", "data-dir"],
        ),
        (
            &["serve"],
            &[],
            Some("data_dir = \"x\""),
            &["unknown key `data_dir`; write `data-dir`"],
        ),
        (
            &["serve"],
            &[],
            Some("config = \"x\""),
            &["unknown key `config`"],
        ),
        (
            &["serve"],
            &[],
            Some("[server]\nregion = \"x\""),
            &["unknown key `server`"],
        ),
        (
            &["serve"],
            &[],
            Some("region = [\"a\"]"),
            &["`region` must be a string"],
        ),
        (
            &["serve"],
            &[],
            Some("listen = 1.5"),
            &["`listen` must be a string or a list"],
        ),
        (&["serve"], &[], Some("region = "), &["is not TOML"]),
        (
            &["serve", "--config", "/nowhere/berth.toml"],
            &[],
            None,
            &["/nowhere/berth.toml", "--config"],
        ),
        (
            &["serve"],
            &[("BERTH_CONFIG", "/nowhere/berth.toml")],
            None,
            &["/nowhere/berth.toml"],
        ),
        (
            &["serve", "--blobs", "s3://bucket"],
            &[],
            None,
            &["not built yet"],
        ),
        (
            &["serve", "--database", "mysql://x"],
            &[],
            None,
            &["sqlite:PATH"],
        ),
        (&["policy", "validate"], &[], None, &["<FILE>"]),
    ] {
        let said = usage(&Case { args, env, file });
        assert!(!said.contains('\n'), "{said}");
        for word in words {
            assert!(said.contains(word), "{said:?} lacks {word:?}");
        }
    }
}

#[test]
fn a_database_password_is_never_shown() {
    let case = Case {
        args: &["serve"],
        env: &[("BERTH_DATABASE", "postgres://berth:hush@host/db")],
        file: None,
    };
    let options = serve(&case);
    assert!(!format!("{options:?}").contains("hush"));
    let case = Case {
        args: &["serve", "--help"],
        ..case
    };
    match run(&case) {
        Err(Stop::Help(text)) => assert!(!text.contains("hush") && text.contains("BERTH_DATABASE")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definitions_are_sound() {
    command().debug_assert();
}
