//! Running the built program.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The program, with nothing in its environment that could configure it.
pub fn berth(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
    command
        .args(args)
        .env_clear()
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    for kept in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// What came of a command.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    fn of(output: Output) -> Done {
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It ended well; its output.
    pub fn ok(&self) -> &str {
        assert_eq!(
            self.code,
            Some(0),
            "stdout: {}\nstderr: {}",
            self.out,
            self.err
        );
        &self.out
    }

    /// It ended with `code`, and said so on one line of stderr that holds each of `words`.
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.out,
            self.err
        );
        assert!(self.err.starts_with("berth: "), "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{:?} lacks {word:?}", self.err);
        }
    }
}

pub fn run(args: &[&str]) -> Done {
    Done::of(berth(args).output().unwrap())
}

/// Runs it with `input` on standard input.
pub fn run_with(args: &[&str], input: &str) -> Done {
    let mut child = berth(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Done::of(child.wait_with_output().unwrap())
}

pub fn done(command: &mut Command) -> Done {
    Done::of(command.output().unwrap())
}

/// A running `berth serve` or `berth demo --keep`.
pub struct Running {
    child: Option<Child>,
    out: BufReader<ChildStdout>,
    /// What it has printed, to the line that was waited for.
    pub lines: Vec<String>,
}

impl Running {
    /// Starts it and reads until a line begins with `mark`.
    pub fn start(command: &mut Command, mark: &str) -> Running {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut running = Running {
            child: Some(child),
            out,
            lines: Vec::new(),
        };
        loop {
            let mut line = String::new();
            if running.out.read_line(&mut line).unwrap() == 0 {
                let output = running.child.take().unwrap().wait_with_output().unwrap();
                panic!(
                    "it ended early: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
            running.lines.push(line.trim_end().to_owned());
            if line.starts_with(mark) {
                return running;
            }
        }
    }

    pub fn serve(data_dir: &Path, more: &[&str]) -> Running {
        Running::start(&mut serve(data_dir, more), "berth listening on ")
    }

    /// The address of the last line.
    pub fn url(&self) -> &str {
        self.lines
            .last()
            .unwrap()
            .strip_prefix("berth listening on ")
            .unwrap()
    }

    /// Sends a signal and answers the exit code.
    pub fn end(mut self, signal: rustix::process::Signal) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap().code()
    }

    pub fn stop(self) {
        assert_eq!(self.end(rustix::process::Signal::TERM), Some(0));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Only after a failure: the test has its own words.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `berth serve` on a free port.
pub fn serve(data_dir: &Path, more: &[&str]) -> Command {
    let mut command = berth(&["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(data_dir).args(more);
    command
}
