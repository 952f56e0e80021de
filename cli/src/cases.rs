//! Which files a command line means.
//!
//! - A folder stands for every `.mtx` and `.mtx.gz` file in it and below, in the order of their names. A
//!   folder that is reached twice (by symbolic links) is read once.
//! - `NAME_b.mtx` and `NAME_rhs1.mtx` are NAME's right-hand side, `NAME_x.mtx` its solution: beside
//!   `NAME.mtx` they are no cases of their own, also where a shell's `*.mtx` names them.
//! - Whatever is named explicitly is read as Matrix Market, whatever its ending.
//! - The same path given twice is two cases.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Ends of the names of right-hand sides, in the order in which they are looked for.
const RHS_SUFFIXES: [&str; 2] = ["_b", "_rhs1"];

/// Ends of the names of files that belong to another.
pub(crate) const COMPANION_SUFFIXES: [&str; 3] = ["_b", "_rhs1", "_x"];

/// One thing to solve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// Where it comes from.
    pub(crate) source: Source,
    /// The path as given; under a folder, the folder as given and the path within it.
    pub(crate) label: String,
    /// Relative path of what is written for it, without ending: the path within the folder that was
    /// given, or the file's name.
    pub(crate) stem: PathBuf,
    /// The right-hand side beside it.
    pub(crate) rhs: Option<PathBuf>,
}

/// Where a case comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// Nowhere: what is wrong, and what was expected.
    Unusable(String),
}

/// All cases of `paths`, in order. `skip` is a folder not to look into (where results are written).
pub(crate) fn discover(paths: &[PathBuf], skip: Option<&Path>) -> Vec<Case> {
    let skip = skip.and_then(|path| fs::canonicalize(path).ok());
    let mut found: Vec<Case> = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(Case { source: Source::Stdin, label: "-".into(), stem: "stdin".into(), rhs: None });
        } else if path.is_dir() {
            found.extend(cases_in_folder(path, skip.as_deref()));
        } else {
            found.push(file_case(path, path.file_name().map_or(path.as_path(), Path::new)));
        }
    }
    set_companions_aside(found)
}

fn file_case(path: &Path, relative: &Path) -> Case {
    Case {
        source: Source::File(path.to_path_buf()),
        label: path.display().to_string(),
        stem: relative.with_file_name(stem(relative)),
        rhs: sibling_rhs(path),
    }
}

fn cases_in_folder(folder: &Path, skip: Option<&Path>) -> Vec<Case> {
    let mut files = Vec::new();
    let mut walk = Walk { seen: HashSet::new(), skip, files: &mut files, problems: Vec::new() };
    walk.enter(folder);
    let problems = walk.problems;
    let unusable = |path: &Path, message: String| Case {
        source: Source::Unusable(message),
        label: path.display().to_string(),
        stem: PathBuf::new(),
        rhs: None,
    };
    let mut cases: Vec<Case> =
        files.iter().map(|file| file_case(file, file.strip_prefix(folder).unwrap_or(file))).collect();
    if cases.is_empty() && problems.is_empty() {
        let what = "no matrix in this folder: expected .mtx or .mtx.gz files in it or below".to_owned();
        cases.push(unusable(folder, what));
    }
    cases.extend(problems.iter().map(|(path, error)| unusable(path, unreadable(error))));
    cases
}

/// The text for a path that cannot be opened.
pub(crate) fn unreadable(error: &io::Error) -> String {
    let expected = match error.kind() {
        io::ErrorKind::NotFound => "a .mtx or .mtx.gz file, a folder, or - for standard input",
        io::ErrorKind::PermissionDenied => "a file that may be read",
        _ => "a readable file",
    };
    format!("cannot be read ({}): expected {expected}", plain(error))
}

/// The text for an output that cannot be written.
pub(crate) fn unwritable(error: &io::Error) -> String {
    format!("cannot be written ({}): expected a writable place with room", plain(error))
}

/// An I/O error without the operating system's number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

struct Walk<'a> {
    seen: HashSet<PathBuf>,
    skip: Option<&'a Path>,
    files: &'a mut Vec<PathBuf>,
    problems: Vec<(PathBuf, io::Error)>,
}

impl Walk<'_> {
    fn enter(&mut self, folder: &Path) {
        match fs::canonicalize(folder) {
            Ok(real) => {
                let is_inner = !self.seen.is_empty();
                if (is_inner && self.skip == Some(real.as_path())) || !self.seen.insert(real) {
                    return;
                }
            }
            Err(error) => return self.problems.push((folder.to_path_buf(), error)),
        }
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.iter().map(fs::DirEntry::path).collect(),
            Err(error) => return self.problems.push((folder.to_path_buf(), error)),
        };
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.enter(&path);
            } else if has_matrix_ending(&path) {
                self.files.push(path);
            }
        }
    }
}

/// The file name without `.mtx` and `.gz`; other endings stay, since they may tell two files apart.
pub(crate) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_ascii_lowercase();
    let ending = [".mtx.gz", ".mtx"].into_iter().find(|e| lower.ends_with(e)).map_or(0, str::len);
    name[..name.len() - ending].to_owned()
}

pub(crate) fn has_matrix_ending(path: &Path) -> bool {
    path.file_name().is_some_and(|name| stem(path).len() < name.to_string_lossy().len())
}

/// NAME_b or NAME_rhs1 beside NAME, compressed or not.
fn sibling_rhs(path: &Path) -> Option<PathBuf> {
    let name = stem(path);
    RHS_SUFFIXES
        .iter()
        .flat_map(|suffix| ["mtx", "mtx.gz"].map(|e| path.with_file_name(format!("{name}{suffix}.{e}"))))
        .find(|candidate| candidate.is_file())
}

/// The matrix file that the companion `path` belongs to, if it exists, with the companion's role.
fn owner(path: &Path) -> Option<(PathBuf, &'static str)> {
    if !has_matrix_ending(path) {
        return None;
    }
    let name = stem(path);
    COMPANION_SUFFIXES.iter().find_map(|suffix| {
        let base = name.strip_suffix(suffix).filter(|base| !base.is_empty())?;
        let role = if *suffix == "_x" { "solution" } else { "right-hand side" };
        ["mtx", "mtx.gz"]
            .map(|e| path.with_file_name(format!("{base}.{e}")))
            .into_iter()
            .find(|candidate| candidate.is_file())
            .map(|owner| (owner, role))
    })
}

/// Drops companions whose owner is a case too; those named alone are told apart from a matrix.
fn set_companions_aside(found: Vec<Case>) -> Vec<Case> {
    let files: HashSet<PathBuf> = found
        .iter()
        .filter_map(|case| match &case.source {
            Source::File(path) => Some(path.clone()),
            _ => None,
        })
        .collect();
    let judge = |mut case: Case| {
        let Source::File(path) = &case.source else { return Some(case) };
        let Some((owner, role)) = owner(path) else { return Some(case) };
        if files.contains(&owner) {
            return None;
        }
        let owner = owner.display();
        case.source = Source::Unusable(format!("is the {role} of {owner}: expected the matrix {owner}"));
        Some(case)
    };
    found.into_iter().filter_map(judge).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn labels(cases: &[Case], root: &Path) -> Vec<String> {
        let root = format!("{}/", root.display());
        cases.iter().map(|c| c.label.replace(&root, "")).collect()
    }

    #[test]
    fn a_folder_is_walked_in_order_without_companions() {
        let dir =
            folder_with(&["b.mtx", "a.mtx.gz", "a_b.mtx", "sub/c.mtx", "sub/c_rhs1.mtx", "c_x.mtx", "t.txt"]);
        let cases = discover(&[dir.path().to_path_buf()], None);
        assert_eq!(labels(&cases, dir.path()), ["a.mtx.gz", "b.mtx", "c_x.mtx", "sub/c.mtx"]);
        assert_eq!(cases[0].rhs, Some(dir.path().join("a_b.mtx")));
        assert_eq!(cases[3].rhs, Some(dir.path().join("sub/c_rhs1.mtx")));
        assert_eq!(cases[3].stem, Path::new("sub/c"));
        assert_eq!(cases[0].stem, Path::new("a"));
    }

    #[test]
    fn a_companion_named_alone_is_told_from_a_matrix() {
        let dir = folder_with(&["a.mtx", "a_b.mtx"]);
        let (a, b) = (dir.path().join("a.mtx"), dir.path().join("a_b.mtx"));
        assert_eq!(discover(&[b.clone(), a.clone(), a], None).len(), 2, "the same path twice is two cases");
        let alone = discover(&[b], None);
        assert!(
            matches!(&alone[0].source, Source::Unusable(m) if m.contains("right-hand side of")),
            "{alone:?}"
        );
    }

    #[test]
    fn an_empty_folder_is_a_problem_and_a_missing_file_is_a_case() {
        let dir = folder_with(&["readme.txt"]);
        let cases = discover(&[dir.path().to_path_buf(), dir.path().join("no.mtx")], None);
        assert!(matches!(&cases[0].source, Source::Unusable(m) if m.contains("no matrix")));
        assert!(matches!(&cases[1].source, Source::File(_)), "reading it says what is wrong");
    }

    #[cfg(unix)]
    #[test]
    fn loops_of_links_end_and_the_output_folder_is_left_out() {
        let dir = folder_with(&["a.mtx", "out/a_x.mtx", "sub/d.mtx"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("sub/loop")).unwrap();
        std::os::unix::fs::symlink("gone.mtx", dir.path().join("dangling.mtx")).unwrap();
        let cases = discover(&[dir.path().to_path_buf()], Some(&dir.path().join("out")));
        assert_eq!(labels(&cases, dir.path()), ["a.mtx", "dangling.mtx", "sub/d.mtx"]);
    }
}
