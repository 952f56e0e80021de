//! The output folder: solutions, and `results.jsonl` with one line a finished case.
//!
//! A line is written in one piece and synchronised before the next case begins, after its solution is in
//! place: whatever ends the process, the file holds whole lines and at most one cut-off last one, which the
//! next run drops.
//!
//! A resumed run takes a stored result for a case if the path, the size and time of its files, the options
//! and the name of the solution agree, and the solution is there; not if it was interrupted or its input
//! could not be used. New lines are appended; at the end the file is put in order: lines of other cases
//! first, as they stood, then this run's cases in input order. So an interrupted and resumed run leaves
//! the file of an undisturbed one.

use crate::cases::{Case, Source, plain};
use crate::plan::Rhs;
use crate::report::{SolveRecord, Status};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The file of results.
const RESULTS: &str = "results.jsonl";

/// What a run without `--resume` leaves of the one before.
const PREVIOUS: &str = "results.previous.jsonl";

/// A stored result: its line and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) line: String,
    pub(crate) record: SolveRecord,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    file: File,
    /// Bytes of whole lines in the file.
    length: u64,
    /// Lines found at the start, in order; taken out as they are reused.
    found: Vec<Stored>,
    /// This run's lines in input order.
    lines: Vec<String>,
    /// Labels of the cases that this run has a line for.
    done: HashSet<String>,
    /// Lines in the order of the file.
    on_disk: Vec<String>,
    /// Solution of each case, relative to the folder.
    solutions: Vec<String>,
}

impl Store {
    /// Opens `folder` for `cases`; without `resume`, earlier results are set aside.
    pub(crate) fn open(folder: &Path, cases: &[Case], resume: bool) -> Result<Self, String> {
        let path = folder.join(RESULTS);
        let wrong = |e: io::Error| {
            format!(
                "{}: cannot be written ({}): expected a writable folder with room",
                path.display(),
                plain(&e)
            )
        };
        if !resume && path.exists() {
            fs::rename(&path, folder.join(PREVIOUS)).map_err(wrong)?;
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(wrong(e)),
        };
        let length = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |k| k + 1);
        let text = String::from_utf8_lossy(&bytes[..length]);
        let on_disk: Vec<String> = text.lines().map(str::to_owned).collect();
        let parse = |line: &String| {
            serde_json::from_str(line).ok().map(|record| Stored { line: line.clone(), record })
        };
        let found: Vec<Stored> = on_disk.iter().filter_map(parse).collect();
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(wrong)?;
        file.set_len(length as u64).map_err(wrong)?;
        let solutions = name_solutions(cases, &found);
        Ok(Self {
            folder: folder.to_path_buf(),
            file,
            length: length as u64,
            found,
            lines: Vec::new(),
            done: HashSet::new(),
            on_disk,
            solutions,
        })
    }

    /// The stored result of case number `k`, if it still holds.
    pub(crate) fn reuse(
        &mut self,
        k: usize,
        case: &Case,
        options: &str,
        input: Option<&str>,
    ) -> Option<Stored> {
        let solution = &self.solutions[k];
        let holds = |record: &SolveRecord| {
            record.case == case.label
                && record.options == options
                && input.is_some()
                && record.input.as_deref() == input
                && !matches!(record.status, Status::Interrupted | Status::InvalidInput)
                && record.solution.as_ref().is_none_or(|s| s == solution && self.folder.join(s).is_file())
        };
        let index = self.found.iter().position(|stored| holds(&stored.record))?;
        let stored = self.found.remove(index);
        self.lines.push(stored.line.clone());
        self.done.insert(case.label.clone());
        Some(stored)
    }

    /// Where the solution of case number `k` goes: as stored in the record, and as a path that can be
    /// written.
    pub(crate) fn solution(&self, k: usize) -> (String, PathBuf) {
        let name = self.solutions[k].clone();
        let path = self.folder.join(&name);
        (name, path)
    }

    /// Adds the line of a finished case; when this returns it is on disk.
    pub(crate) fn append(&mut self, label: &str, line: &str) -> Result<(), String> {
        let whole = format!("{line}\n");
        let written = self.file.write_all(whole.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is cut off must not spoil the next line.
            let _ = self.file.set_len(self.length);
            let path = self.folder.join(RESULTS);
            return Err(format!("{}: cannot be written ({}): expected room", path.display(), plain(&error)));
        }
        self.length += whole.len() as u64;
        self.on_disk.push(line.to_owned());
        self.lines.push(line.to_owned());
        self.done.insert(label.to_owned());
        Ok(())
    }

    /// Puts the file in order, if it is not. Until the new file is complete the old one stays.
    pub(crate) fn finish(self) -> Result<(), String> {
        let others = self.found.iter().filter(|stored| !self.done.contains(&stored.record.case));
        let ordered: Vec<&str> =
            others.map(|stored| stored.line.as_str()).chain(self.lines.iter().map(String::as_str)).collect();
        if ordered == self.on_disk {
            return Ok(());
        }
        let path = self.folder.join(RESULTS);
        let temporary = self.folder.join(format!("{RESULTS}.{}.tmp", std::process::id()));
        let text: String = ordered.iter().flat_map(|line| [line, "\n"]).collect();
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&temporary);
            format!("{}: cannot be put in order ({}): expected room", path.display(), plain(&error))
        })
    }
}

/// A name for each case's solution, different from each other and from those of other cases in `found`.
fn name_solutions(cases: &[Case], found: &[Stored]) -> Vec<String> {
    let labels: HashSet<&str> = cases.iter().map(|case| case.label.as_str()).collect();
    let mut taken: HashSet<String> = found
        .iter()
        .filter(|stored| !labels.contains(stored.record.case.as_str()))
        .filter_map(|stored| stored.record.solution.clone())
        .collect();
    let name = |case: &Case| {
        let stem = case.stem.display();
        let names =
            std::iter::once(format!("{stem}_x.mtx")).chain((2..).map(|k| format!("{stem}_{k}_x.mtx")));
        let free = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(free.clone());
        free
    };
    cases.iter().map(name).collect()
}

/// Size and time of the files of `case`; none for standard input or a file that is not there.
pub(crate) fn fingerprint(case: &Case, rhs: &Rhs) -> Option<String> {
    let Source::File(matrix) = &case.source else { return None };
    let rhs = match rhs {
        Rhs::File(path) => Some(path),
        Rhs::Default => case.rhs.as_ref(),
        _ => None,
    };
    let stamp = |path: &PathBuf| {
        let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let time = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(format!("{} bytes of {}.{:09}", data.len(), time.as_secs(), time.subsec_nanos()))
    };
    match rhs {
        None => stamp(matrix),
        Some(rhs) => Some(format!("{}; rhs {}", stamp(matrix)?, stamp(rhs)?)),
    }
}
