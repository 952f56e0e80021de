//! How the process ends.

use std::process::ExitCode;

/// The exit codes of every command, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Every case converged (or there was none to converge).
    Success,
    /// A case did not converge or could not be read, or an output could not be written.
    Incomplete,
    /// The command line is wrong; nothing was done.
    Usage,
    /// Ctrl-C: what was finished is on disk.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Incomplete => 1,
            Self::Usage => 2,
            Self::Interrupted => 130,
        }
    }

    /// The worse of two ends.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
