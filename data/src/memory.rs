//! Large pages for large arrays.
//!
//! A sparse product streams arrays of hundreds of megabytes. With pages of 4 KiB the processor walks the page
//! table 512 times for every 2 MiB, and its prefetcher stops at each page's end. Linux gives pages of 2 MiB to
//! a process that asks (`madvise(MADV_HUGEPAGE)`; the usual setting of
//! `/sys/kernel/mm/transparent_hugepage/enabled` is `madvise`), but no allocator in common use asks.
//! [`LargePages`] does. What it buys is measured in `docs/benchmarks.md`.

use std::alloc::{GlobalAlloc, Layout, System};

/// From this size on, an allocation is aligned to a large page and asks for such pages.
const LARGE: usize = 4 << 20;

/// The size of a large page on x86-64 and most others.
const PAGE: usize = 2 << 20;

/// The system's allocator, asking for large pages for arrays of 4 MiB and more.
///
/// A program that solves large systems gains by one line; elsewhere than on Linux it changes nothing:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: residua_data::memory::LargePages = residua_data::memory::LargePages;
/// # fn main() { assert_eq!(vec![1u8; 5 << 20].iter().map(|&b| b as usize).sum::<usize>(), 5 << 20); }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LargePages;

/// The layout that is really asked of the system for `layout`.
fn widened(layout: Layout) -> Layout {
    if cfg!(target_os = "linux") && layout.size() >= LARGE && layout.align() < PAGE {
        Layout::from_size_align(layout.size(), PAGE).unwrap_or(layout)
    } else {
        layout
    }
}

/// Asks for large pages in the `size` bytes at `start`; the answer does not matter.
fn advise(start: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    if !start.is_null() && size >= LARGE {
        // SAFETY: the range was just returned by the system's allocator, and this advice changes no content.
        unsafe { libc::madvise(start.cast(), size, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, size);
}

// SAFETY: every method hands its arguments on to `System`, with a layout that depends on the caller's layout
// alone and whose alignment is at least the caller's, so that `dealloc` gives back what `alloc` was given. The
// default `realloc` allocates, copies and frees through these methods.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let layout = widened(layout);
        // SAFETY: the caller's promise on the layout holds for the widened one.
        let start = unsafe { System.alloc(layout) };
        advise(start, layout.size());
        start
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            // SAFETY: as the caller promised.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as above. The advice must come before the first touch.
        unsafe {
            let start = self.alloc(layout);
            if !start.is_null() {
                start.write_bytes(0, layout.size());
            }
            start
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: `start` came from `alloc` with this layout, hence from `System` with the widened one.
        unsafe { System.dealloc(start, widened(layout)) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if layout.size() < LARGE && new_size < LARGE {
            // SAFETY: neither layout is widened, so this is the caller's call.
            return unsafe { System.realloc(start, layout, new_size) };
        }
        // SAFETY: the caller promises that `new_size` is valid for the alignment; the old block holds at least
        // the smaller of both sizes.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            let new = self.alloc(new_layout);
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(start, new, layout.size().min(new_size));
                self.dealloc(start, layout);
            }
            new
        }
    }
}

/// Asks the C library to keep what is freed for later allocations, up to 2 GiB, instead of returning it to the operating
/// system: a solve frees and allocates hundreds of megabytes, and memory that is touched for the first time costs more
/// (0.05 to 0.3 seconds a gigabyte) than most of what is computed with it. To be called once, at the start of a program.
/// Does nothing elsewhere than on Linux with glibc.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: all are documented parameters of glibc's allocator; a refused value changes nothing.
    unsafe {
        // The heaps of other threads give their memory back whatever the threshold.
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_size_keep_their_content_when_they_grow_and_shrink() {
        let sizes = [100, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE, 1000];
        let mut layout = Layout::from_size_align(64, 8).expect("a layout");
        // SAFETY: layouts are not of size zero; blocks are used within their sizes and freed once.
        unsafe {
            let mut block = LargePages.alloc(layout);
            block.write_bytes(7, 64);
            for size in sizes {
                block = LargePages.realloc(block, layout, size);
                layout = Layout::from_size_align(size, 8).expect("a layout");
                assert!((0..64).all(|i| *block.add(i) == 7));
            }
            LargePages.dealloc(block, layout);
            let layout = Layout::from_size_align(2 * LARGE, 8).expect("a layout");
            let zeroed = LargePages.alloc_zeroed(layout);
            assert_eq!(zeroed as usize % PAGE, 0);
            assert!((0..2 * LARGE).all(|i| *zeroed.add(i) == 0));
            LargePages.dealloc(zeroed, layout);
        }
    }
}
