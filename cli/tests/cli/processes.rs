//! Signals, pipes and full disks.

use crate::support::{Folder, Run, residua, tridiagonal};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A method that converges too slowly to end by itself.
const ENDLESS: [&str; 4] = ["--method", "jacobi", "--max-iters", "100000000000"];

fn two_quick_one_endless() -> Folder {
    let folder = Folder::new();
    folder
        .write("a.mtx", &tridiagonal(5, 3.0))
        .write("b.mtx", &tridiagonal(6, 3.0))
        .write("c.mtx", &tridiagonal(20_000, 2.0))
        .write("d.mtx", &tridiagonal(7, 3.0));
    folder
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn wait(mut child: Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the process did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_running_case_and_keeps_what_is_finished() {
    let folder = two_quick_one_endless();
    let args = ["solve", "a.mtx", "b.mtx", "c.mtx", "d.mtx", "--json", "--out", "o", "--report", "r.html"];
    let mut child = residua()
        .current_dir(folder.path())
        .args(args)
        .args(ENDLESS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    stdout.read_line(&mut lines).unwrap();
    stdout.read_line(&mut lines).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    interrupt(&child);
    stdout.read_to_string(&mut lines).unwrap();
    assert_eq!(wait(child), Some(130));
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let statuses: Vec<&str> = objects.iter().map(|o| o["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["converged", "converged", "interrupted"], "the fourth is not begun");
    assert_eq!(folder.read("o/results.jsonl"), lines);
    assert!(folder.join("o/a_x.mtx").is_file() && folder.join("o/c_x.mtx").is_file());
    assert!(folder.read("r.html").contains("interrupted"), "the report is written too");

    // The interrupted case is not taken for finished.
    let mut short = args.to_vec();
    short.extend(["--resume", "--method", "jacobi", "--max-iters", "3"]);
    let run = folder.run(&short);
    assert_eq!(run.objects()[2]["status"], "max_iterations");
    assert_eq!(folder.read("o/results.jsonl").lines().count(), 4);
}

/// The writing end of a pipe that nobody reads, closed before the process begins: one closed later could hold the
/// first cases' lines by then, on a busy machine.
#[cfg(unix)]
fn pipe_without_reader() -> Stdio {
    let (_, writer) = std::io::pipe().unwrap();
    writer.into()
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = two_quick_one_endless();
    // Nobody reads and nothing is stored: the endless case is not even begun.
    let mut child = residua()
        .current_dir(folder.path())
        .args(["solve", "a.mtx", "b.mtx", "d.mtx", "c.mtx", "--json"])
        .args(ENDLESS)
        .stdout(pipe_without_reader())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = child.stderr.take();
    assert_eq!(wait(child), Some(0));
    let mut text = String::new();
    stderr.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
    for args in [&["solve", "a.mtx"][..], &["info", "a.mtx"], &["completions", "bash"], &["--help"]] {
        let child =
            residua().current_dir(folder.path()).args(args).stdout(pipe_without_reader()).spawn().unwrap();
        assert_eq!(wait(child), Some(0), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_does_not_stop_what_is_written_to_disk() {
    let folder = two_quick_one_endless();
    let child = residua()
        .current_dir(folder.path())
        .args(["solve", "a.mtx", "b.mtx", "d.mtx", "--json", "--out", "o"])
        .stdout(pipe_without_reader())
        .spawn()
        .unwrap();
    assert_eq!(wait(child), Some(0));
    assert_eq!(folder.read("o/results.jsonl").lines().count(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn no_room_on_standard_output() {
    let folder = two_quick_one_endless();
    let to_full = |args: &[&str]| -> Run {
        let full = File::options().write(true).open("/dev/full").unwrap();
        residua().current_dir(folder.path()).args(args).stdout(full).output().unwrap().into()
    };
    let run = to_full(&["solve", "a.mtx", "b.mtx", "--json", "--out", "o"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("no space left on device"), "{}", run.stderr);
    assert_eq!(folder.read("o/results.jsonl").lines().count(), 2, "the disk still has everything");
    let run = to_full(&["solve", "a.mtx"]);
    assert_eq!((run.code, run.stderr.lines().count()), (1, 1), "{}", run.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn no_room_for_the_report_leaves_the_device_alone() {
    use std::os::unix::fs::FileTypeExt;
    let folder = two_quick_one_endless();
    let run = folder.run(&["solve", "a.mtx", "--json", "--report", "/dev/full"]);
    assert_eq!((run.code, run.objects().len()), (1, 1));
    assert!(run.stderr.starts_with("error: /dev/full: cannot be written"), "{}", run.stderr);
    assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
}

/// A mounted file system of a few pages; none where this user may not mount.
#[cfg(target_os = "linux")]
struct SmallDisk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(at: std::path::PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing_that_was_written() {
    let folder = two_quick_one_endless();
    let Some(_disk) = SmallDisk::mount(folder.join("o"), "64k") else {
        return println!("skipped: no file system can be mounted here");
    };
    // The solution of c (400 kB) does not fit; what comes before and after it does.
    let args = ["solve", "a.mtx", "c.mtx", "b.mtx", "--json", "--out", "o", "--method", "direct"];
    let run = folder.run(&args);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("error: o/c_x.mtx: "), "{}", run.stderr);
    assert!(run.stderr.to_lowercase().contains("no space left"), "{}", run.stderr);
    assert_eq!(run.objects().len(), 3, "every result is shown");
    let file = folder.read("o/results.jsonl");
    let kept: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = kept.iter().map(|o| o["case"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.mtx", "b.mtx"], "a result without its solution is not kept");
    assert!(folder.join("o/a_x.mtx").is_file() && !folder.join("o/c_x.mtx").exists());
    assert_eq!(fs::read_dir(folder.join("o")).unwrap().count(), 3, "no remains");
}
