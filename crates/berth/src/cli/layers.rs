//! Flag before environment before file before default.
//!
//! clap knows the flags and the defaults. The other two layers are put in as better defaults:
//! the arguments are parsed once as they are, then with the file's values as defaults, then with
//! the environment's on top. A step that fails after one that did not names its source.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::Cli;

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for; print it and end well.
    Help(String),
    /// No command was given: its help, as an error.
    Nothing(String),
    /// The command line, the environment or the file is wrong: one line, what and what to do.
    Usage(String),
}

/// The values of one layer, by the option's long name.
type Layer = BTreeMap<String, Vec<OsString>>;

/// Options that stand for one another: the one of the higher layer hides the other of a lower one.
const RIVALS: [(&str, &str); 1] = [("master-key-file", "master-key-command")];

/// The definitions, with each option's environment variable in its help.
pub fn command() -> clap::Command {
    map_args(Cli::command(), |arg| {
        match (arg.get_long(), layered(&arg)) {
            (Some(long), true) => {
                let note = format!("[env: {}]", variable(long));
                let short = arg.get_help().map(|help| format!("{help} {note}"));
                let long = arg.get_long_help().map(|help| format!("{help} {note}"));
                let arg = match short {
                    Some(help) => arg.help(help),
                    None => arg,
                };
                match long {
                    Some(help) => arg.long_help(help),
                    None => arg,
                }
            }
            _ => arg,
        }
    })
}

/// Parses `args` (the program's name first), with `env` as the environment.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Cli, Stop> {
    let args: Vec<OsString> = args.into_iter().collect();
    let plain = matches(&args, &Layer::new()).map_err(|error| from_clap(&error, None))?;
    let known = known_options();
    let mut values = Layer::new();
    if let Some(path) = config_file(&plain, &env) {
        let shown = path.display().to_string();
        values = read_file(&path, &known)?;
        one_of_rivals(&values, &shown)?;
        hide_rivals(&mut values, |long| given(&plain, long));
        matches(&args, &values).map_err(|error| from_clap(&error, Some(&shown)))?;
    }
    let mut environment = Layer::new();
    for (long, many) in &known {
        let value = env(&variable(long)).filter(|value| !value.is_empty());
        let value = match SECRET_OPTIONS.contains(&long.as_str()) {
            true => or_from_file(long, value, &env)?,
            false => value,
        };
        if let Some(value) = value {
            environment.insert(long.clone(), split(value, *many));
        }
    }
    one_of_rivals(&environment, ENVIRONMENT)?;
    hide_rivals(&mut environment, |long| given(&plain, long));
    hide_rivals(&mut values, |long| environment.contains_key(long));
    values.append(&mut environment);
    let all = matches(&args, &values).map_err(|error| from_clap(&error, Some(ENVIRONMENT)))?;
    Cli::from_arg_matches(&all).map_err(|error| from_clap(&error, None))
}

/// Options whose value may be a secret: a file may hold it, which `BERTH_…_FILE` names.
const SECRET_OPTIONS: [&str; 1] = ["database"];

/// The value of the environment, or the text of the file that it names.
fn or_from_file(
    long: &str,
    value: Option<OsString>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<OsString>, Stop> {
    let name = format!("{}_FILE", variable(long));
    let Some(path) = env(&name).filter(|path| !path.is_empty()) else {
        return Ok(value);
    };
    if value.is_some() {
        let plain = variable(long);
        return Err(Stop::Usage(format!(
            "{plain} and {name} are both set; keep one"
        )));
    }
    let path = PathBuf::from(path);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let path = path.display();
        Stop::Usage(format!("cannot read {path}, which {name} names: {error}"))
    })?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).into()))
}

/// The environment's name in messages.
const ENVIRONMENT: &str = "the environment (BERTH_…)";

/// One layer must not say both.
fn one_of_rivals(layer: &Layer, source: &str) -> Result<(), Stop> {
    match RIVALS
        .iter()
        .find(|(one, other)| layer.contains_key(*one) && layer.contains_key(*other))
    {
        Some((one, other)) => Err(Stop::Usage(format!(
            "in {source}: `{one}` and `{other}` exclude each other; keep one"
        ))),
        None => Ok(()),
    }
}

/// Takes out what a higher layer has said otherwise.
fn hide_rivals(layer: &mut Layer, higher: impl Fn(&str) -> bool) {
    for (one, other) in RIVALS {
        for (winner, loser) in [(one, other), (other, one)] {
            if higher(winner) {
                layer.remove(loser);
            }
        }
    }
}

/// Whether an option stands on the command line.
fn given(matches: &ArgMatches, long: &str) -> bool {
    let id = long.replace('-', "_");
    let deepest = deepest(matches);
    // An option that this command does not know is not given.
    matches!(deepest.try_contains_id(&id), Ok(true))
        && deepest.value_source(&id) == Some(clap::parser::ValueSource::CommandLine)
}

fn deepest(matches: &ArgMatches) -> &ArgMatches {
    match matches.subcommand() {
        Some((_, sub)) => deepest(sub),
        None => matches,
    }
}

fn matches(args: &[OsString], values: &Layer) -> Result<ArgMatches, clap::Error> {
    map_args(command(), |arg| {
        match arg.get_long().and_then(|long| values.get(long)) {
            Some(values) if layered(&arg) => arg.default_values(values.clone()),
            _ => arg,
        }
    })
    .try_get_matches_from(args)
}

/// Options of a single call, which change an account: nobody means them for every call.
const OPTIONS_OF_ONE_CALL: [&str; 8] = [
    "revoke", "keep-mfa", "set", "reset", "to", "from", "backup", "keep",
];

/// Options of the commands that read the configuration, and the global ones. What must be given
/// each time (`account create --account-id`) must not come from a server's file.
fn layered(arg: &Arg) -> bool {
    let taken = matches!(
        arg.get_action(),
        ArgAction::Set | ArgAction::Append | ArgAction::SetTrue
    );
    let of_one_call = arg
        .get_long()
        .is_some_and(|long| OPTIONS_OF_ONE_CALL.contains(&long));
    taken && !arg.is_positional() && !arg.is_required_set() && !of_one_call
}

/// Changes the arguments of the top, and of each command that has `--config`.
fn map_args(command: clap::Command, change: impl Fn(Arg) -> Arg + Copy) -> clap::Command {
    fn inner(
        command: clap::Command,
        change: impl Fn(Arg) -> Arg + Copy,
        top: bool,
    ) -> clap::Command {
        let reads_config = top
            || command
                .get_arguments()
                .any(|arg| arg.get_long() == Some("config"));
        let command = match reads_config {
            true => command.mut_args(change),
            false => command,
        };
        command.mut_subcommands(|sub| inner(sub, change, false))
    }
    inner(command, change, true)
}

/// Every option that the file and the environment may set, and whether it takes several values.
fn known_options() -> BTreeMap<String, bool> {
    fn collect(command: &clap::Command, top: bool, into: &mut BTreeMap<String, bool>) {
        let reads_config = top
            || command
                .get_arguments()
                .any(|arg| arg.get_long() == Some("config"));
        for arg in command
            .get_arguments()
            .filter(|arg| reads_config && layered(arg))
        {
            if let Some(long) = arg.get_long() {
                into.insert(
                    long.to_owned(),
                    matches!(arg.get_action(), ArgAction::Append),
                );
            }
        }
        for sub in command.get_subcommands() {
            collect(sub, false, into);
        }
    }
    let mut known = BTreeMap::new();
    collect(&Cli::command(), true, &mut known);
    known
}

/// `data-dir` → `BERTH_DATA_DIR`.
fn variable(long: &str) -> String {
    format!("BERTH_{}", long.replace('-', "_").to_ascii_uppercase())
}

/// Several values stand in one variable with commas between them.
fn split(value: OsString, many: bool) -> Vec<OsString> {
    match value.to_str() {
        Some(text) if many => text.split(',').map(|part| part.trim().into()).collect(),
        _ => vec![value],
    }
}

/// The file that this command is to read: by flag, else by environment; none for commands without `--config`.
fn config_file(matches: &ArgMatches, env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    match deepest(matches).try_get_one::<PathBuf>("config") {
        Ok(Some(path)) => Some(path.clone()),
        Ok(None) => env(&variable("config"))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        // No such option.
        Err(_) => None,
    }
}

fn read_file(path: &Path, known: &BTreeMap<String, bool>) -> Result<Layer, Stop> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Stop::Usage(format!("cannot read the configuration file {shown}: {error}; give --config the path of a TOML file"))
    })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Stop::Usage(format!(
            "{shown} is not TOML: {}",
            one_line(&error.to_string())
        ))
    })?;
    let mut layer = Layer::new();
    for (key, value) in table {
        let wrong = |why: String| Stop::Usage(format!("{shown}: {why}"));
        let many = match known.get(&key) {
            Some(many) if key != "config" => *many,
            _ => return Err(wrong(unknown_key(&key, known))),
        };
        let values = match value {
            toml::Value::Array(items) if many => {
                items.into_iter().map(scalar).collect::<Option<Vec<_>>>()
            }
            value => scalar(value).map(|value| vec![value]),
        };
        let form = if many {
            "a string or a list of strings"
        } else {
            "a string"
        };
        let values = values.ok_or_else(|| wrong(format!("the value of `{key}` must be {form}")))?;
        layer.insert(key, values);
    }
    Ok(layer)
}

fn scalar(value: toml::Value) -> Option<OsString> {
    match value {
        toml::Value::String(text) => Some(text.into()),
        toml::Value::Integer(number) => Some(number.to_string().into()),
        toml::Value::Boolean(flag) => Some(flag.to_string().into()),
        _ => None,
    }
}

fn unknown_key(key: &str, known: &BTreeMap<String, bool>) -> String {
    let meant = key.replace('_', "-").to_ascii_lowercase();
    if meant != "config" && known.contains_key(&meant) {
        return format!("unknown key `{key}`; write `{meant}`");
    }
    let names: Vec<&str> = known
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "config")
        .collect();
    format!("unknown key `{key}`; the keys are {}", names.join(", "))
}

/// clap's words on one line: what, its tip where it has one, and where help is.
fn from_clap(error: &clap::Error, source: Option<&str>) -> Stop {
    use clap::error::ErrorKind;
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return Stop::Help(text);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Stop::Nothing(text);
    }
    let said = text.split("\nUsage:").next().unwrap_or(&text);
    let said = said.split("\nFor more information").next().unwrap_or(said);
    let said = one_line(said);
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    Stop::Usage(match source {
        Some(source) => format!("in {source}: {said}; see --help"),
        None => format!("{said}; see --help"),
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
