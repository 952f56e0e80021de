//! Standard output: JSON Lines or text, each piece flushed at once.

use super::error_line;
use crate::cases::plain;
use crate::exit::Exit;
use serde::Serialize;
use std::io::{self, ErrorKind, Write};

/// `value` as one line of JSON, without the newline; numbers that are not finite are null.
pub(crate) fn to_line(value: &impl Serialize) -> String {
    // A record of numbers and strings with string keys has no way to fail.
    serde_json::to_string(value).unwrap_or_else(|e| format!("{{\"message\":\"{e}\"}}"))
}

/// Standard output, which may end before we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// Somebody may be reading.
    Open,
    /// The reader has gone; that is no error.
    Closed,
    /// It could not be written (no space); the error was reported.
    Broken,
}

impl Stdout {
    pub(crate) fn new() -> Self {
        Self::Open
    }

    /// Writes one line and flushes it.
    pub(crate) fn line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Writes and flushes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Self {
        if *self == Self::Open
            && let Err(error) = write_and_flush(bytes)
        {
            *self = if error.kind() == ErrorKind::BrokenPipe { Self::Closed } else { Self::Broken };
            if *self == Self::Broken {
                error_line(&format!("standard output: cannot be written ({}): expected room", plain(&error)));
            }
        }
        *self
    }

    /// Whether nothing written from here on will be seen.
    pub(crate) fn is_gone(self) -> bool {
        self != Self::Open
    }

    /// How the process ends on account of its output.
    pub(crate) fn exit(self) -> Exit {
        if self == Self::Broken { Exit::Incomplete } else { Exit::Success }
    }
}

fn write_and_flush(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
