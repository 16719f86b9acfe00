//! Completions and man pages, made from the definitions of the command line.

use std::io::{self, Write as _};
use std::path::Path;

use clap_mangen::Man;

use crate::cli;
use crate::error::{Error, Result};

/// Prints the completions of a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "berth", &mut text);
    print(&text)
}

/// Prints the page of `berth`, or writes the pages of all commands into `dir`.
pub fn man(dir: Option<&Path>) -> Result<()> {
    match dir {
        None => print(&page(cli::command())?),
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(Error::failed(format!("cannot make {}", dir.display())))?;
            pages(cli::command(), "", dir)
        }
    }
}

fn pages(command: clap::Command, before: &str, dir: &Path) -> Result<()> {
    let name = format!("{before}{}", command.get_name());
    for sub in command.get_subcommands() {
        pages(sub.clone(), &format!("{name}-"), dir)?;
    }
    let path = dir.join(format!("{name}.1"));
    let text = page(command.bin_name(name.replace('-', " ")).name(name))?;
    std::fs::write(&path, text).map_err(Error::failed(format!("cannot write {}", path.display())))
}

fn page(command: clap::Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command)
        .render(&mut text)
        .map_err(Error::failed("cannot make the man page"))?;
    Ok(text)
}

fn print(text: &[u8]) -> Result<()> {
    match io::stdout().write_all(text) {
        // `berth man | head`: whoever reads has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Error::failed("cannot write to standard output")),
    }
}
