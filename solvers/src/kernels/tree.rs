//! The fixed binary tree over blocks, on which every kernel runs.

use std::ops::Add;

/// Elements of a block: three vectors of doubles of this length fit the first-level cache.
pub const BLOCK: usize = 1024;

/// Below this many elements a kernel is over before a second thread has woken up.
const MIN_PARALLEL: usize = 32 * BLOCK;

/// Slices of one length that are cut together: `&[T]`, `&mut [T]`, and tuples of them.
pub trait SplitSlices: Sized + Send {
    /// The common length.
    fn len(&self) -> usize;
    /// Both halves, cut before element `mid`.
    fn split_at(self, mid: usize) -> (Self, Self);
    /// Whether the length is 0.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Sync> SplitSlices for &[T] {
    #[inline(always)]
    fn len(&self) -> usize {
        <[T]>::len(self)
    }
    #[inline(always)]
    fn split_at(self, mid: usize) -> (Self, Self) {
        <[T]>::split_at(self, mid)
    }
}

impl<T: Send> SplitSlices for &mut [T] {
    #[inline(always)]
    fn len(&self) -> usize {
        <[T]>::len(self)
    }
    #[inline(always)]
    fn split_at(self, mid: usize) -> (Self, Self) {
        <[T]>::split_at_mut(self, mid)
    }
}

macro_rules! split_tuple {
    ($($name:ident $index:tt),+) => {
        impl<$($name: SplitSlices),+> SplitSlices for ($($name,)+) {
            #[inline(always)]
            fn len(&self) -> usize {
                $(debug_assert_eq!(self.0.len(), self.$index.len());)+
                self.0.len()
            }
            #[inline(always)]
            fn split_at(self, mid: usize) -> (Self, Self) {
                $(#[allow(non_snake_case)] let $name = self.$index.split_at(mid);)+
                (($($name.0,)+), ($($name.1,)+))
            }
        }
    };
}
split_tuple!(A 0);
split_tuple!(A 0, B 1);
split_tuple!(A 0, B 1, C 2);
split_tuple!(A 0, B 1, C 2, D 3);
split_tuple!(A 0, B 1, C 2, D 3, E 4);
split_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
split_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);

/// Where the tree cuts a range of `n` elements: after half of its blocks.
#[inline(always)]
pub(super) fn split_point(n: usize) -> usize {
    n.div_ceil(BLOCK).div_ceil(2) * BLOCK
}

/// Σ over blocks of `leaf(block)`, added along the fixed tree; the blocks of a subtree of at most `grain`
/// elements are done by one task.
pub fn reduce<S: SplitSlices, R: Add<Output = R> + Send>(
    slices: S,
    grain: usize,
    leaf: &(impl Fn(S) -> R + Sync),
) -> R {
    let n = slices.len();
    if n <= BLOCK {
        return leaf(slices);
    }
    let mid = split_point(n);
    let (left, right) = slices.split_at(mid);
    if n <= grain || n < MIN_PARALLEL {
        let left = reduce(left, grain, leaf);
        left + reduce(right, grain, leaf)
    } else {
        let (left, right) = rayon::join(|| reduce(left, grain, leaf), || reduce(right, grain, leaf));
        left + right
    }
}

/// `leaf(block)` for every block, in parallel where that pays; for kernels without a sum.
pub fn for_each_block<S: SplitSlices>(slices: S, grain: usize, leaf: &(impl Fn(S) + Sync)) {
    let n = slices.len();
    if n <= BLOCK {
        return leaf(slices);
    }
    let mid = split_point(n);
    let (left, right) = slices.split_at(mid);
    if n <= grain || n < MIN_PARALLEL {
        for_each_block(left, grain, leaf);
        for_each_block(right, grain, leaf);
    } else {
        rayon::join(|| for_each_block(left, grain, leaf), || for_each_block(right, grain, leaf));
    }
}

/// Where `part` starts in `whole`, in elements. `part` must have been cut from `whole`.
///
/// # Panics
/// If it was not.
#[inline]
pub fn offset_in<T>(whole: &[T], part: &[T]) -> usize {
    let offset = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize) / size_of::<T>();
    assert!(offset <= whole.len() && part.len() <= whole.len() - offset, "part was not cut from whole");
    offset
}

/// Two sums carried along one tree.
impl<A: SumPart, B: SumPart> Add for Sums<A, B> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Sums(self.0 + other.0, self.1 + other.1)
    }
}

/// A pair of sums that one kernel computes in one pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums<A, B>(pub A, pub B);

/// What can be summed along the tree.
pub trait SumPart: Add<Output = Self> + Send + Sized {}
impl<A: Add<Output = A> + Send> SumPart for A {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_depend_on_threads() {
        let x: Vec<f64> = (0..300_001).map(|i| 1.0 / (1.0 + i as f64)).collect();
        let sum = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| reduce(&x[..], 2 * BLOCK, &|x: &[f64]| x.iter().sum::<f64>()))
        };
        let one = sum(1);
        assert!((one - x.iter().sum::<f64>()).abs() < 1e-11);
        for threads in [2, 3, 5, 8] {
            assert_eq!(sum(threads).to_bits(), one.to_bits());
        }
    }

    #[test]
    fn a_part_knows_its_place() {
        let x = [0.0f64; 10];
        assert_eq!(offset_in(&x, &x[4..7]), 4);
        assert_eq!(offset_in(&x, &x[10..]), 10);
    }

    #[test]
    #[should_panic(expected = "was not cut from whole")]
    fn a_foreign_part_is_refused() {
        let (x, y) = ([0.0f64; 10], [0.0f64; 10]);
        if y.as_ptr() < x.as_ptr() {
            offset_in(&x, &y)
        } else {
            offset_in(&y, &x)
        };
    }
}
