//! Ctrl-C: the first asks the running solve to end at its next iteration, and ends the process where that does not come
//! soon, as inside a factorization; the second ends the process.

use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// Whether a solve runs. Whoever holds the lock keeps the solve from ending, so nothing is written meanwhile.
static SOLVING: Mutex<bool> = Mutex::new(false);

/// How long a solve may take to its next iteration.
const GRACE: Duration = Duration::from_millis(600);
const POLL: Duration = Duration::from_millis(50);

/// Starts listening for SIGINT. Where no handler can be set Ctrl-C keeps its usual meaning.
pub(crate) fn listen() {
    let _ = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            leave();
        }
        // Not here: the handler must be free for the second Ctrl-C.
        let _ = std::thread::Builder::new().spawn(|| {
            std::thread::sleep(GRACE);
            loop {
                let solving = is_solving();
                if *solving {
                    leave();
                }
                drop(solving);
                std::thread::sleep(POLL);
            }
        });
    });
}

fn is_solving() -> MutexGuard<'static, bool> {
    SOLVING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn leave() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

/// Whether Ctrl-C was pressed.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// While this lives nothing is being written, and the process may be left without damage.
pub(crate) struct Solving;

impl Solving {
    pub(crate) fn new() -> Self {
        *is_solving() = true;
        Self
    }
}

impl Drop for Solving {
    fn drop(&mut self) {
        *is_solving() = false;
    }
}
