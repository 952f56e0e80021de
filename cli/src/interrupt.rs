//! Ctrl-C: the first asks the running solve to end at its next iteration, and ends the process where that does not come
//! soon, as inside a factorization; the second ends the process.

use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static SOLVING: AtomicBool = AtomicBool::new(false);

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
            while !SOLVING.load(Ordering::Acquire) {
                std::thread::sleep(POLL);
            }
            leave();
        });
    });
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
        SOLVING.store(true, Ordering::Release);
        Self
    }
}

impl Drop for Solving {
    fn drop(&mut self) {
        SOLVING.store(false, Ordering::Release);
    }
}
