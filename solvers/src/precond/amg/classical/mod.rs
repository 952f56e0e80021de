//! Classical algebraic multigrid: coarse points are some of the fine points, and the others are interpolated
//! from those that they depend on strongly.
//!
//! A → strength of connection ([`strength`]) → C/F splitting ([`pmis`]; on the first levels made
//! sparser once more, [`aggressive`]) → interpolation P ([`extended`], [`direct`]; [`two_stage`] after
//! aggressive coarsening).
//!
//! Every row of P depends on A, the splitting and its own number alone: the result has the same bits for any
//! number of threads.

mod aggressive;
mod direct;
mod extended;
mod graph;
mod hmis;
mod pmis;
mod row;
mod strength;
mod two_stage;

use crate::SolveError;
use crate::error::check_square;
use crate::precond::amg::rows::{self, to_matrix};
use residua_data::CsrMatrix;
use row::{Row, Truncation};
use strength::Strength;

/// How coarse points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coarsening {
    /// A maximal independent set, in parallel.
    Pmis,
    /// The first pass of Ruge and Stüben within blocks of rows, completed by PMIS (De Sterck, Yang and Heys 2006): a more
    /// regular grid.
    Hmis,
}

/// How fine points are interpolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// From strong coarse neighbours.
    Direct,
    /// From coarse points at distance two as well (extended+i).
    ExtendedI,
}

/// Options of classical coarsening and interpolation.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassicalOptions {
    /// θ in \[0, 1\].
    pub strong_threshold: f64,
    /// How coarse points are chosen.
    pub coarsening: Coarsening,
    /// How fine points are interpolated.
    pub interpolation: Interpolation,
    /// Entries kept in a row of P; 0 for all.
    pub max_elements: usize,
    /// Entries of P below this share of their row's largest are dropped; 0 drops none.
    pub truncation: f64,
    /// Levels, from the finest, that are coarsened aggressively.
    pub aggressive_levels: usize,
    /// Seed of the weights that choose among equal points.
    pub seed: u64,
}

impl Default for ClassicalOptions {
    fn default() -> Self {
        Self {
            strong_threshold: 0.25,
            coarsening: Coarsening::Pmis,
            interpolation: Interpolation::ExtendedI,
            max_elements: 4,
            truncation: 0.0,
            aggressive_levels: 1,
            seed: 0,
        }
    }
}

impl ClassicalOptions {
    fn truncation(&self) -> Truncation {
        Truncation { relative: self.truncation, max_elements: self.max_elements }
    }

    fn check(&self) -> Result<(), SolveError> {
        let refuse = |name: &'static str, value: f64| {
            let expected = "a number from 0 to 1: couplings and weights are compared with the row's largest";
            Err(SolveError::InvalidOption { name, value: value.to_string(), expected })
        };
        if !(0.0..=1.0).contains(&self.strong_threshold) {
            return refuse("strong_threshold", self.strong_threshold);
        }
        if !(0.0..=1.0).contains(&self.truncation) {
            return refuse("truncation", self.truncation);
        }
        Ok(())
    }
}

/// An interpolation and the splitting it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prolongation {
    /// P, n × n_c.
    pub(crate) p: CsrMatrix<f64>,
    /// Whether each of the n points is coarse; the k-th coarse point is column k of P.
    pub(crate) is_coarse: Vec<bool>,
}

/// Coarse points, and their numbers on the coarse grid.
pub(in crate::precond::amg) struct Splitting {
    is_coarse: Vec<bool>,
    /// Number of coarse points before each point.
    number: Vec<u32>,
    coarse: usize,
}

impl Splitting {
    fn new(is_coarse: Vec<bool>) -> Self {
        let mut coarse = 0u32;
        let number = is_coarse
            .iter()
            .map(|&c| {
                let number = coarse;
                coarse += u32::from(c);
                number
            })
            .collect();
        Self { is_coarse, number, coarse: coarse as usize }
    }
}

/// P for the square matrix A of grid `level` (0 is the finest), or none if nothing is to coarsen: no point
/// depends strongly on another, or every point would be coarse.
///
/// # Errors
/// [`SolveError::NotSquare`]; [`SolveError::InvalidOption`] for a threshold outside [0, 1];
/// [`SolveError::FactorizationFailed`] if P has more entries than 32-bit indices reach.
pub(in crate::precond::amg) fn prolongation(
    a: &CsrMatrix<f64>,
    options: &ClassicalOptions,
    level: usize,
) -> Result<Option<Prolongation>, SolveError> {
    options.check()?;
    check_square("AMG", a.nrows(), a.ncols())?;
    let strength = Strength::new(a, options.strong_threshold)?;
    if strength.graph.edges() == 0 {
        return Ok(None);
    }
    let first = Splitting::new(match options.coarsening {
        Coarsening::Pmis => pmis::split(&strength.graph, options.seed),
        Coarsening::Hmis => {
            let start = hmis::first_pass(&strength.graph, hmis::BLOCK_ROWS);
            pmis::split_from(&strength.graph, options.seed, |i| start[i])
        }
    });
    if first.coarse == 0 || first.coarse == a.nrows() {
        return Ok(None);
    }
    if level >= options.aggressive_levels {
        let p = interpolate(a, &strength.strong, &first, options)?;
        return Ok(Some(Prolongation { p, is_coarse: first.is_coarse }));
    }
    let long = long_row(a);
    let second = Splitting::new(aggressive::thin(&strength.graph, &first, long, options.seed)?);
    let parts = (a, &strength.strong[..]);
    let rows = two_stage::interpolate(parts, (&first, &second), options.truncation(), long)?;
    let p = to_matrix(a.nrows(), second.coarse, rows)?;
    Ok(Some(Prolongation { p, is_coarse: second.is_coarse }))
}

/// Rows longer than this are not walked through: 10 times the mean, 500 at least.
fn long_row(a: &CsrMatrix<f64>) -> usize {
    (10 * a.nnz() / a.nrows().max(1)).max(500)
}

fn interpolate(
    a: &CsrMatrix<f64>,
    strong: &[bool],
    splitting: &Splitting,
    options: &ClassicalOptions,
) -> Result<CsrMatrix<f64>, SolveError> {
    let truncation = options.truncation();
    let (n, long) = (a.nrows(), long_row(a));
    let rows = rows::build(
        n,
        || Row::new(n),
        |row, i, out| {
            if splitting.is_coarse[i] {
                out.cols.push(splitting.number[i]);
                out.vals.push(1.0);
                return;
            }
            match options.interpolation {
                Interpolation::Direct => {
                    direct::interpolate((a, strong), splitting, truncation, row, i, out);
                }
                Interpolation::ExtendedI => {
                    extended::interpolate((a, strong), splitting, truncation, long, row, i, out);
                }
            }
        },
    )?;
    to_matrix(n, splitting.coarse, rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
