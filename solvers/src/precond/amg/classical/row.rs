//! One row of an interpolation while it is made: a sparse accumulator, and its truncation.

use crate::precond::amg::rows::Buffer;

/// Which entries of a row of P are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Truncation {
    /// Entries below this share of the largest are dropped; 0 keeps all.
    pub(super) relative: f64,
    /// At most this many are kept, the largest; 0 for no bound.
    pub(super) max_elements: usize,
}

/// Columns with a value each, found again in O(1).
pub(super) struct Row {
    /// Place of each column among `entries`, plus 1; 0 where it is not there.
    place: Vec<u32>,
    entries: Vec<(u32, f64)>,
}

impl Row {
    /// For columns below `ncols`.
    pub(super) fn new(ncols: usize) -> Self {
        Self { place: vec![0; ncols], entries: Vec::new() }
    }

    /// Makes room for column `j`, with the value 0.
    #[inline]
    pub(super) fn insert(&mut self, j: u32) {
        let place = &mut self.place[j as usize];
        if *place == 0 {
            self.entries.push((j, 0.0));
            *place = self.entries.len() as u32;
        }
    }

    /// Whether column `j` is there.
    #[inline]
    pub(super) fn contains(&self, j: u32) -> bool {
        self.place[j as usize] != 0
    }

    /// Adds to column `j`, if it is there; returns whether it is.
    #[inline]
    pub(super) fn add(&mut self, j: u32, value: f64) -> bool {
        match self.place[j as usize] {
            0 => false,
            place => {
                self.entries[place as usize - 1].1 += value;
                true
            }
        }
    }

    /// Number of columns.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends the row times `scale`, truncated, with columns renumbered by `number`, which must not change
    /// their order; then forgets it. A row with a value that is not finite is left empty.
    pub(super) fn flush(
        &mut self,
        scale: f64,
        truncation: Truncation,
        number: impl Fn(u32) -> u32,
        out: &mut Buffer<f64>,
    ) {
        let entries = &mut self.entries;
        entries.iter().for_each(|&(j, _)| self.place[j as usize] = 0);
        entries.iter_mut().for_each(|e| e.1 *= scale);
        if entries.iter().all(|e| e.1.is_finite()) {
            truncate(entries, truncation);
            entries.sort_unstable_by_key(|e| e.0);
            out.cols.extend(entries.iter().map(|e| number(e.0)));
            out.vals.extend(entries.iter().map(|e| e.1));
        }
        entries.clear();
    }
}

/// Drops zeros, entries below `relative` times the largest, and all but the `max_elements` largest; scales
/// what is left to the row sum that was there (separately for each sign, so that it cannot blow up).
fn truncate(entries: &mut Vec<(u32, f64)>, truncation: Truncation) {
    entries.retain(|e| e.1 != 0.0);
    let before = sums(entries);
    let full = entries.len();
    if truncation.relative > 0.0 {
        let bound = truncation.relative * entries.iter().fold(0.0, |m: f64, e| m.max(e.1.abs()));
        entries.retain(|e| e.1.abs() >= bound);
    }
    let most = truncation.max_elements;
    if most > 0 && entries.len() > most {
        // Equal values are told apart by their columns: the outcome is one whatever the order was.
        entries.select_nth_unstable_by(most, |x, y| y.1.abs().total_cmp(&x.1.abs()).then(x.0.cmp(&y.0)));
        entries.truncate(most);
    }
    if entries.len() < full {
        rescale(entries, before);
    }
}

/// (Σ of the positive values, Σ of the negative ones).
fn sums(entries: &[(u32, f64)]) -> (f64, f64) {
    entries.iter().fold((0.0, 0.0), |(p, n), e| if e.1 > 0.0 { (p + e.1, n) } else { (p, n + e.1) })
}

/// Gives `entries` the row sum `before.0 + before.1` again.
fn rescale(entries: &mut [(u32, f64)], before: (f64, f64)) {
    let (positive, negative) = sums(entries);
    let has_both = (positive > 0.0 || before.0 == 0.0) && (negative < 0.0 || before.1 == 0.0);
    let (up, down) = if has_both {
        (before.0 / positive, before.1 / negative)
    } else {
        let factor = (before.0 + before.1) / (positive + negative);
        (factor, factor)
    };
    for e in entries {
        e.1 *= if e.1 > 0.0 { up } else { down };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flushed(values: &[(u32, f64)], truncation: Truncation) -> (Vec<u32>, Vec<f64>) {
        let mut row = Row::new(100);
        for &(j, v) in values {
            row.insert(j);
            row.add(j, v);
        }
        let mut out = Buffer::for_rows(1);
        row.flush(1.0, truncation, |j| j, &mut out);
        assert!(row.place.iter().all(|&p| p == 0) && row.len() == 0);
        (out.cols, out.vals)
    }

    #[test]
    fn the_largest_are_kept_and_scaled() {
        let all = [(7, 0.1), (3, 0.4), (5, 0.2), (1, 0.3)];
        let (cols, vals) = flushed(&all, Truncation { relative: 0.0, max_elements: 2 });
        assert_eq!(cols, [1, 3]);
        assert!((vals[0] - 0.3 / 0.7).abs() < 1e-15 && (vals[1] - 0.4 / 0.7).abs() < 1e-15);
        let (cols, _) = flushed(&all, Truncation { relative: 0.5, max_elements: 0 });
        assert_eq!(cols, [1, 3, 5]);
    }

    #[test]
    fn a_row_that_is_not_finite_is_empty() {
        for bad in [f64::NAN, f64::INFINITY] {
            let (cols, _) = flushed(&[(1, 1.0), (2, bad)], Truncation { relative: 0.0, max_elements: 4 });
            assert!(cols.is_empty());
        }
    }

    proptest! {
        #[test]
        fn truncation_keeps_the_row_sum(
            values in prop::collection::btree_map(0u32..100, 0.01..1.0f64, 1..20),
            most in 1usize..6,
            relative in 0.0..0.9f64,
        ) {
            let values: Vec<_> = values.into_iter().collect();
            let (cols, vals) = flushed(&values, Truncation { relative, max_elements: most });
            prop_assert!(cols.len() <= most && !cols.is_empty() && cols.is_sorted());
            let before: f64 = values.iter().map(|v| v.1).sum();
            prop_assert!((vals.iter().sum::<f64>() - before).abs() < 1e-12);
        }
    }
}
