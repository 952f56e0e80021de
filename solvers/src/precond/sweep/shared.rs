//! A slice that the tasks of a stage write at disjoint places.

use std::marker::PhantomData;

/// A mutable slice shared by tasks which never touch an element that another one writes meanwhile.
///
/// The schedule proves that for the rows of a sweep: see [`Schedule`](super::Schedule).
#[derive(Clone, Copy)]
pub(crate) struct SharedSlice<'a, T> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: the slice is only reached through the unsafe methods, whose callers promise that no element is
// written by one thread while another one reads or writes it.
unsafe impl<T: Send + Sync> Sync for SharedSlice<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for SharedSlice<'_, T> {}

impl<'a, T> SharedSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), lifetime: PhantomData }
    }

    /// The element `i`.
    ///
    /// # Safety
    /// `i` is in range, and no other thread writes it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn get(&self, i: usize) -> T
    where
        T: Copy,
    {
        debug_assert!(i < self.len);
        // SAFETY: in range, and not written meanwhile, by the caller's promise.
        unsafe { *self.start.add(i) }
    }

    /// Sets the element `i`.
    ///
    /// # Safety
    /// `i` is in range, and no other thread reads or writes it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn set(&self, i: usize, value: T) {
        debug_assert!(i < self.len);
        // SAFETY: in range and not touched by another thread meanwhile, by the caller's promise.
        unsafe { *self.start.add(i) = value }
    }

    /// The elements `start .. end`.
    ///
    /// # Safety
    /// The range is valid, and no thread writes any of them while the slice lives.
    #[inline(always)]
    pub(crate) unsafe fn slice(&self, start: usize, end: usize) -> &'a [T] {
        debug_assert!(start <= end && end <= self.len);
        // SAFETY: in range, and not written meanwhile, by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start.add(start), end - start) }
    }

    /// The elements `start .. end`, to be written.
    ///
    /// # Safety
    /// The range is valid, and nothing else reads or writes any of them while the slice lives.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice_mut(&self, start: usize, end: usize) -> &'a mut [T] {
        debug_assert!(start <= end && end <= self.len);
        // SAFETY: in range and not touched by anything else meanwhile, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), end - start) }
    }
}
