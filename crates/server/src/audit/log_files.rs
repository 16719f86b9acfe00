//! The audit log's files: one a day, of whole lines.

use std::io;
use std::path::PathBuf;

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

/// See the module.
pub(super) struct LogFiles {
    pub(super) directory: PathBuf,
    open: Option<OpenFile>,
    /// Where a day's whole lines end, after a write that failed in the middle.
    torn: Option<(String, u64)>,
}

struct OpenFile {
    day: String,
    file: File,
    /// In bytes, all of them whole lines.
    length: u64,
}

impl LogFiles {
    pub(super) fn new(directory: PathBuf) -> LogFiles {
        LogFiles {
            directory,
            open: None,
            torn: None,
        }
    }

    /// Appends whole lines, or nothing: what a failed write left is cut off before the next one.
    pub(super) async fn append(&mut self, day: &str, lines: &[u8]) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) if open.day == day => open,
            previous => {
                // The day's last lines are as durable as all others.
                if let Some(previous) = previous {
                    previous.file.sync_data().await?;
                }
                self.file(day).await?
            }
        };
        let written = async {
            open.file.write_all(lines).await?;
            open.file.flush().await
        };
        match written.await {
            Ok(()) => {
                open.length += lines.len() as u64;
                self.open = Some(open);
                Ok(())
            }
            Err(error) => {
                // Opened again for the next try: by then the directory may be another one.
                self.torn = Some((open.day, open.length));
                if open.file.set_len(open.length).await.is_ok() {
                    self.torn = None;
                }
                Err(error)
            }
        }
    }

    /// Makes what was appended durable.
    pub(super) async fn sync(&mut self) -> io::Result<()> {
        match &self.open {
            Some(open) => open.file.sync_data().await,
            None => Ok(()),
        }
    }

    async fn file(&mut self, day: &str) -> io::Result<OpenFile> {
        tokio::fs::create_dir_all(&self.directory).await?;
        let path = self.directory.join(format!("{day}.jsonl"));
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        // Who did what from where concerns nobody else on this machine.
        options.mode(0o600);
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        let new = !path.exists();
        let file = options.open(&path).await?;
        if new {
            // The file's name is durable before its first line is.
            File::open(&self.directory).await?.sync_all().await?;
        }
        let mut length = file.metadata().await?.len();
        if let Some((torn, whole)) = &self.torn
            && torn == day
        {
            // A shorter file was rotated.
            if *whole < length {
                file.set_len(*whole).await?;
                length = *whole;
            }
            self.torn = None;
        }
        Ok(OpenFile {
            day: day.to_owned(),
            file,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cuts_off_half_a_line_before_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("2026-11-22.jsonl");
        let mut log = LogFiles::new(directory.path().to_owned());
        log.append("2026-11-22", b"{\"a\":1}\n").await.unwrap();
        // As a disk that fills up in the middle of a write leaves it.
        let open = log.open.take().unwrap();
        log.torn = Some((open.day, open.length));
        std::fs::write(&path, "{\"a\":1}\n{\"b\":").unwrap();
        log.append("2026-11-22", b"{\"b\":2}\n").await.unwrap();
        log.append("2026-11-22", b"{\"c\":3}\n").await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    }
}
