//! The `berth` program: the command line over the crates that do the work.
//!
//! ```text
//! $ berth serve --data-dir /srv/berth            # a registry with IAM, on 127.0.0.1:5000
//! $ berth demo                                   # the same for a minute, with clients in the same process
//! $ berth account create --account-id 444455556666
//! $ berth policy evaluate < scenarios.jsonl      # one decision a line
//! ```
//!
//! The top layer: it opens what the lower layers offer, connects them, and prints. Each command
//! is a module; [`cli`] defines all of them, once, and from that definition come parsing, help,
//! the environment, the configuration file, completions and man pages.
//!
//! **Invariants.** No rule of IAM or ECR is here. Nothing secret is logged: the root key is
//! written to a file for its owner, a further or recovered account's key goes to stdout, once. Results go to
//! stdout, logs and errors to stderr, an error on one line that says what to do. Exit codes: 0
//! done, 1 failed, 2 wrong usage, 3 a check found something.

mod account;
mod agent_commands;
mod backups;
mod cli;
mod collection;
mod completions;
mod data_dir;
mod demo;
mod error;
mod events;
mod explain;
mod hosts;
mod import;
mod integrity;
mod logging;
mod master_key;
mod moving;
mod output;
mod policies;
mod process;
mod restore;
mod review;
mod search;
mod serve;
mod signed_client;
mod storage;
mod tags;
mod token;
mod usage;

use std::process::ExitCode;

use policy::Printable;

use cli::{AccountCommand, Command, ImportCommand, PolicyCommand, Stop};
use error::{Error, Result};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(cli) => cli,
        Err(Stop::Help(text)) => {
            // A closed pipe (`berth --help | head -1`) is no failure.
            let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Stop::Nothing(help)) => {
            eprint!("{help}");
            return ExitCode::from(2);
        }
        Err(Stop::Usage(text)) => return end(&Error::Usage(text)),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&error),
    }
}

fn end(error: &Error) -> ExitCode {
    match error {
        // It quotes files, which may hold anything.
        Error::Failed(text) => eprintln!("berth: {}", Printable(text.trim_end())),
        Error::Usage(text) => eprintln!("berth: {}", text.trim_end()),
        Error::Told | Error::Found => {}
    }
    error.code()
}

fn run(cli: cli::Cli) -> Result<()> {
    let default_log = match cli.command {
        Command::Serve(_) => "info",
        _ => "warn",
    };
    logging::start(cli.log.as_deref().unwrap_or(default_log))?;
    match cli.command {
        Command::Policy(command) => match command {
            PolicyCommand::Validate(options) => policies::validate(&options),
            PolicyCommand::Evaluate(options) => policies::evaluate(&options),
            PolicyCommand::Test(options) => policies::test(&options),
            PolicyCommand::Explain(options) => policies::explain(&options),
        },
        Command::Completions { shell } => completions::completions(shell),
        Command::Man { dir } => completions::man(dir.as_deref()),
        Command::Serve(options) => serve::serve(&options),
        Command::Demo(options) => demo::demo(&options),
        Command::Account(AccountCommand::Create(options)) => account::create(&options),
        Command::Account(AccountCommand::Recover(options)) => account::recover(&options),
        Command::Account(AccountCommand::Quota(options)) => account::quota(&options),
        Command::Import(ImportCommand::Iam(options)) => import::iam(&options),
        Command::Import(ImportCommand::Registry(options)) => moving::import_registry(&options),
        Command::Bundle(command) => moving::bundle(command),
        Command::Gc(options) => collection::run(options),
        Command::Fsck(options) => integrity::run(&options),
        Command::Backup(options) => backups::run(*options),
        Command::Restore(options) => restore::run(*options),
        Command::Agent(command) => agent_commands::run(command),
        Command::Host(command) => hosts::run(command),
        Command::Explain(options) => explain::run(options),
        Command::Events(command) => events::run(command),
        Command::Tag(command) => tags::run(command),
        Command::Token(options) => token::run(options),
        Command::Search(options) => search::run(options),
        Command::Usage(options) => usage::run(options),
    }
}
