//! Constant null vectors: what makes a pure Neumann problem singular.
//!
//! Let A be Hermitian, and let S be a connected component of its graph whose rows all sum to zero. Then
//! A 1_S = 0, 1_S being one on S and zero elsewhere. These vectors are orthogonal, A x = b has a solution
//! only if 1_Sᴴ b = 0 for each of them, and x is determined up to multiples of them. An empty row is such a
//! component of its own.

use crate::kernels;
use rayon::prelude::*;
use residua_data::{CooBuilder, CsrError, CsrMatrix, Scalar};

/// Marks a row whose component is not singular.
const REGULAR: u32 = u32::MAX;

/// The constant null vectors of a Hermitian matrix, one a singular component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullSpace {
    /// Singular component of each row, or [`REGULAR`].
    component: Vec<u32>,
    /// Rows of each singular component.
    sizes: Vec<usize>,
}

impl NullSpace {
    /// The constant null vectors of `a`, or `None` if there are none. `a` is square and Hermitian; a row
    /// sum counts as zero when it is within the rounding error of its additions.
    pub fn detect<T: Scalar>(a: &CsrMatrix<T>) -> Option<Self> {
        let n = a.nrows();
        let has_zero_sum = |i: usize| {
            let values = a.row(i).1;
            let sum: T = values.iter().fold(T::zero(), |s, &v| s + v);
            let scale: f64 = values.iter().map(|v| v.modulus_f64()).sum();
            sum.modulus_f64() <= (values.len() + 1) as f64 * T::epsilon_f64() * scale
        };
        if n == 0 || !a.is_square() {
            return None;
        }
        let zero_sums: Vec<bool> =
            (0..n).into_par_iter().with_min_len(ROWS_PER_TASK).map(has_zero_sum).collect();
        if every_row_leads_out(a, &zero_sums) {
            return None;
        }
        const UNSEEN: u32 = u32::MAX - 1;
        let mut component = vec![UNSEEN; n];
        let mut sizes = Vec::new();
        let mut members: Vec<u32> = Vec::new();
        for start in 0..n {
            if component[start] != UNSEEN {
                continue;
            }
            let id = sizes.len() as u32;
            let mut singular = true;
            members.clear();
            members.push(start as u32);
            component[start] = id;
            let mut next = 0;
            while let Some(&i) = members.get(next) {
                next += 1;
                singular = singular && zero_sums[i as usize];
                for &j in a.row(i as usize).0 {
                    if component[j as usize] == UNSEEN {
                        component[j as usize] = id;
                        members.push(j);
                    }
                }
            }
            if singular {
                sizes.push(members.len());
            } else {
                members.iter().for_each(|&i| component[i as usize] = REGULAR);
            }
        }
        (!sizes.is_empty()).then_some(Self { component, sizes })
    }

    /// Dimension of the null space, the number of singular components.
    pub fn dimension(&self) -> usize {
        self.sizes.len()
    }

    /// Order of the matrix.
    pub fn order(&self) -> usize {
        self.component.len()
    }

    fn means<T: Scalar>(&self, v: &[T]) -> Vec<T> {
        let mut sums = vec![T::zero(); self.sizes.len()];
        for (&c, &v) in self.component.iter().zip(v) {
            if c != REGULAR {
                sums[c as usize] += v;
            }
        }
        sums.iter().zip(&self.sizes).map(|(&s, &size)| s / T::of(size as f64)).collect()
    }

    /// v ← v minus its part in the null space: each singular component gets mean zero. `v` has length n.
    pub fn project<T: Scalar>(&self, v: &mut [T]) {
        if self.sizes.len() == 1 && self.sizes[0] == v.len() {
            let sum = kernels::reduce(&*v, kernels::VECTOR_GRAIN, &|v: &[T]| {
                v.iter().fold(T::zero(), |s, &v| s + v)
            });
            let mean = sum / T::of(v.len() as f64);
            kernels::for_each_block(v, kernels::VECTOR_GRAIN, &|v: &mut [T]| {
                v.iter_mut().for_each(|v| *v -= mean)
            });
            return;
        }
        let means = self.means(v);
        for (&c, v) in self.component.iter().zip(v) {
            if c != REGULAR {
                *v -= means[c as usize];
            }
        }
    }

    /// ‖the part of v in the null space‖₂: for a right-hand side, the residual that no x can undercut.
    pub fn part_norm<T: Scalar>(&self, v: &[T]) -> f64 {
        self.means(v)
            .iter()
            .zip(&self.sizes)
            .map(|(m, &s)| m.modulus_f64().powi(2) * s as f64)
            .sum::<f64>()
            .sqrt()
    }

    /// A with the first diagonal entry of each singular component raised by the component's largest
    /// diagonal entry (by 1 where that is zero): nonsingular if the constants are the only null vectors. For
    /// a consistent b its solution solves A x = b too, with x = 0 in the raised places.
    ///
    /// # Errors
    /// [`CsrError::TooLarge`] if an inserted diagonal entry does not fit 32-bit indices.
    pub fn pin<T: Scalar>(&self, a: &CsrMatrix<T>) -> Result<CsrMatrix<T>, CsrError> {
        let n = a.nrows();
        let mut first = vec![usize::MAX; self.sizes.len()];
        let mut largest = vec![0.0f64; self.sizes.len()];
        for (i, &c) in self.component.iter().enumerate().filter(|&(_, &c)| c != REGULAR) {
            let c = c as usize;
            first[c] = first[c].min(i);
            largest[c] = largest[c].max(a.get(i, i).modulus_f64());
        }
        let mut coo = CooBuilder::new(n, n)?;
        coo.reserve(a.nnz() + self.sizes.len());
        for i in 0..n {
            let (cols, vals) = a.row(i);
            for (&j, &v) in cols.iter().zip(vals) {
                coo.push(i, j as usize, v)?;
            }
        }
        for (&i, &d) in first.iter().zip(&largest) {
            coo.push(i, i, T::of(if d > 0.0 { d } else { 1.0 }))?;
        }
        coo.build()
    }
}

/// Rows that one task looks at, at least.
const ROWS_PER_TASK: usize = 8192;

/// Whether two sweeps, forward and backward, find for every row a way to a row whose sum is not zero. In the usual numberings
/// they do, at a look or two a row; where they do not, nothing is said.
fn every_row_leads_out<T>(a: &CsrMatrix<T>, zero_sums: &[bool]) -> bool {
    let mut leads_out: Vec<bool> = zero_sums.iter().map(|&zero| !zero).collect();
    for i in 0..leads_out.len() {
        leads_out[i] = leads_out[i] || a.row(i).0.iter().any(|&j| leads_out[j as usize]);
    }
    for i in (0..leads_out.len()).rev() {
        leads_out[i] = leads_out[i] || a.row(i).0.iter().any(|&j| leads_out[j as usize]);
    }
    leads_out.iter().all(|&leads| leads)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Paths of the given lengths, as graph Laplacians, one after another.
    fn paths(lengths: &[usize], grounded: bool) -> CsrMatrix {
        let n: usize = lengths.iter().sum();
        let mut coo = CooBuilder::new(n, n).unwrap();
        let mut start = 0;
        for &length in lengths {
            for i in start..start + length.saturating_sub(1) {
                for (r, c, v) in [(i, i, 1.0), (i + 1, i + 1, 1.0), (i, i + 1, -1.0), (i + 1, i, -1.0)] {
                    coo.push(r, c, v).unwrap();
                }
            }
            start += length;
        }
        if grounded {
            coo.push(0, 0, 1.0).unwrap();
        }
        coo.build().unwrap()
    }

    #[test]
    fn components_are_found_and_projected() {
        let a = paths(&[3, 1, 4], false);
        let null = NullSpace::detect(&a).unwrap();
        assert_eq!(null.dimension(), 3);
        let mut v: Vec<f64> = (0..8).map(f64::from).collect();
        let before = v.clone();
        let part = null.part_norm(&v);
        null.project(&mut v);
        assert!(null.part_norm(&v) < 1e-14);
        assert!(
            v[..3].iter().sum::<f64>().abs() < 1e-14
                && v[3] == 0.0
                && v[4..].iter().sum::<f64>().abs() < 1e-14
        );
        let moved: f64 = v.iter().zip(&before).map(|(v, b)| (v - b).powi(2)).sum();
        assert!((moved.sqrt() - part).abs() < 1e-13);
    }

    #[test]
    fn a_grounded_component_is_regular() {
        let null = NullSpace::detect(&paths(&[3, 4], true)).unwrap();
        assert_eq!(null.dimension(), 1);
        assert_eq!(NullSpace::detect(&paths(&[5], true)), None);
    }

    #[test]
    fn a_pinned_matrix_solves_the_consistent_system() {
        let a = paths(&[4], false);
        let null = NullSpace::detect(&a).unwrap();
        let pinned = null.pin(&a).unwrap();
        let x = [0.0, 1.0, -2.0, 5.0];
        let (mut b, mut c) = ([0.0; 4], [0.0; 4]);
        a.multiply(&x, &mut b);
        pinned.multiply(&x, &mut c);
        assert_eq!(b, c);
        assert_eq!(NullSpace::detect(&pinned), None);
    }
}
