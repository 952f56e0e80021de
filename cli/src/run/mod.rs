//! Doing what is meant, one case after another.

mod columns;
mod info;
mod poisson;
mod rhs;
mod solve;
mod store;
mod verify;
mod watch;

pub(crate) use info::info;
pub(crate) use poisson::poisson;
pub(crate) use solve::solve;

/// The largest resident set of this process so far, in bytes, where the system tells.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
