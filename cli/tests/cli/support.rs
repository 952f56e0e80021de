//! What the tests share: a folder with systems, and a run of the binary.

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The binary under test.
pub(crate) fn residua() -> Command {
    Command::new(env!("CARGO_BIN_EXE_residua"))
}

/// What a finished run left.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }
}

impl Run {
    /// The objects on standard output, one a line and nothing else.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The only object on standard output.
    pub(crate) fn object(&self) -> Value {
        let mut all = self.objects();
        assert_eq!(all.len(), 1, "{}\n{}", self.stdout, self.stderr);
        all.remove(0)
    }
}

/// Runs the binary in `folder` to its end.
pub(crate) fn run_in(folder: &Path, args: &[&str]) -> Run {
    residua().current_dir(folder).args(args).output().unwrap().into()
}

/// A temporary folder to put systems in.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, making the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Runs the binary here.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        run_in(self.path(), args)
    }
}

/// tridiag(−1, d, −1) of order n, symmetric: positive definite for d ≥ 2.
pub(crate) fn tridiagonal(n: usize, d: f64) -> String {
    let mut text = format!("%%MatrixMarket matrix coordinate real symmetric\n{n} {n} {}\n", 2 * n - 1);
    for i in 1..=n {
        writeln!(text, "{i} {i} {d}").unwrap();
        if i < n {
            writeln!(text, "{} {i} -1", i + 1).unwrap();
        }
    }
    text
}

/// An array file with these columns.
pub(crate) fn array(columns: &[&[f64]]) -> String {
    let mut text =
        format!("%%MatrixMarket matrix array real general\n{} {}\n", columns[0].len(), columns.len());
    columns.iter().copied().flatten().for_each(|v| writeln!(text, "{v}").unwrap());
    text
}

/// The values of an array file.
pub(crate) fn array_values(text: &str) -> Vec<f64> {
    let lines = text.lines().filter(|line| !line.starts_with('%')).skip(1);
    lines.map(|line| line.trim().parse().unwrap()).collect()
}

/// A result without what differs from run to run.
pub(crate) fn without_measurements(value: &Value) -> Value {
    let mut value = value.clone();
    let object = value.as_object_mut().unwrap();
    object.retain(|name, _| !name.ends_with("_seconds") && name != "peak_memory_bytes");
    value
}

/// The objects of a results.jsonl, without measurements.
pub(crate) fn results(text: &str) -> Vec<Value> {
    text.lines().map(|line| without_measurements(&serde_json::from_str(line).unwrap())).collect()
}
