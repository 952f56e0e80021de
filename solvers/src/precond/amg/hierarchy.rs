//! Set-up: from A to a sequence of ever smaller Galerkin matrices A_{l+1} = Pᵀ A_l P.

use super::aggregates;
use super::classical;
use super::coarse::CoarseInverse;
use super::cycle::{Hierarchy, Level};
use super::graph::Graph;
use super::options::{AggregationOptions, AmgOptions, Coarsening};
use super::smoothed::{Filtered, prolongation};
use super::smoother;
use super::tentative::Tentative;
use super::{product, util};
use crate::precond::amg::Complexity;
use crate::{Scalar, SolveError};
use residua_data::CsrMatrix;

/// A level that keeps more than this share of the unknowns is not worth its cost.
const LEAST_REDUCTION: f64 = 0.8;

/// ω ρ of the prolongation's Jacobi step.
const DAMPING: f64 = 4.0 / 3.0;

/// A coarsest level that could not be made small enough is smoothed, and solved exactly up to this order only.
const MAX_DENSE: usize = 1500;

/// The near null space of a level: k vectors by rows (n × k). Where none is given it is the constants, for nodes of one
/// unknown.
pub(super) struct NearNullSpace {
    pub values: Vec<f64>,
    pub vectors: usize,
}

/// Builds all levels of `a` in the precision T.
pub(super) fn build<T: Scalar>(
    a: &CsrMatrix<f64>,
    options: &AmgOptions,
    symmetric: bool,
    near_null: Option<&NearNullSpace>,
) -> Result<(Hierarchy<T>, Complexity), SolveError> {
    let mut levels = Vec::new();
    let mut coarsened: Option<CsrMatrix<f64>> = None;
    let mut block_size = options.block_size;
    let mut coarse_near_null = None;
    let mut complexity = Complexity::default();
    loop {
        let current = coarsened.as_ref().unwrap_or(a);
        complexity.rows.push(current.nrows());
        complexity.nnz.push(current.nnz());
        let low = current.map(|&v| T::of(v));
        let fits = low
            .values()
            .iter()
            .zip(current.values())
            .all(|(l, &v)| l.is_finite() && (v == 0.0 || *l != T::zero()));
        if !fits {
            return Err(out_of_range());
        }
        let n = current.nrows();
        let near_null = if levels.is_empty() { near_null } else { coarse_near_null.as_ref() };
        let next = if n <= options.coarse_size || levels.len() + 1 >= options.max_levels {
            None
        } else {
            coarser(current, options, levels.len(), block_size, near_null)?
        };
        let Some((p, next_near_null, next_block_size)) = next else {
            let coarse = if n <= MAX_DENSE.max(options.coarse_size) {
                Some(CoarseInverse::new(current, symmetric)?)
            } else {
                None
            };
            let smoother = smoother::build(options.smoother, current, &low, symmetric)?;
            levels.push(Level::coarsest(low, smoother));
            return Ok((Hierarchy::new(levels, coarse, options), complexity));
        };
        let r = product::transpose(&p)?;
        let next = with_diagonal(product::galerkin(&r, current, &p)?)?;
        let smoother = smoother::build(options.smoother, current, &low, symmetric)?;
        levels.push(Level::new(low, p.map(|&v| T::of(v)), r.map(|&v| T::of(v)), smoother));
        coarse_near_null = next_near_null;
        block_size = next_block_size;
        coarsened = Some(next);
    }
}

fn out_of_range() -> SolveError {
    SolveError::InvalidOption {
        name: "precision",
        value: "single".to_owned(),
        expected: "entries within the range of 32-bit numbers: use 64-bit ones",
    }
}

type Coarser = (CsrMatrix<f64>, Option<NearNullSpace>, usize);

/// P to the next level, its near null space and the unknowns of its nodes; none if nothing is gained.
fn coarser(
    a: &CsrMatrix<f64>,
    options: &AmgOptions,
    level: usize,
    block_size: usize,
    near_null: Option<&NearNullSpace>,
) -> Result<Option<Coarser>, SolveError> {
    let aggregated = |sa: &AggregationOptions| by_aggregation(a, sa, level, block_size, near_null).map(Some);
    let next = match &options.coarsening {
        Coarsening::Auto => aggregated(&AggregationOptions::default())?,
        Coarsening::SmoothedAggregation(sa) => aggregated(sa)?,
        Coarsening::Classical(classical) => {
            classical::prolongation(a, classical, level)?.map(|next| (next.p, None, 1))
        }
    };
    Ok(next.filter(|(p, _, _)| p.ncols() > 0 && (p.ncols() as f64) < LEAST_REDUCTION * a.nrows() as f64))
}

fn by_aggregation(
    a: &CsrMatrix<f64>,
    options: &AggregationOptions,
    level: usize,
    block_size: usize,
    near_null: Option<&NearNullSpace>,
) -> Result<Coarser, SolveError> {
    let nodes;
    let condensed = if block_size == 1 {
        a
    } else {
        nodes = util::condense(a, block_size)?;
        &nodes
    };
    let graph = Graph::strong(condensed, options.strength, level);
    let groups = aggregates::greedy(&graph);
    let (t, coarse_near_null) = match near_null {
        None => (Tentative::constant(groups), None),
        Some(b) => {
            let (t, values) = Tentative::fitted(groups, block_size, &b.values, b.vectors);
            (t, Some(NearNullSpace { values, vectors: b.vectors }))
        }
    };
    let vectors = t.vectors;
    let filtered = Filtered { a, graph: &graph, block_size };
    let damping = if options.smooth_prolongation { DAMPING } else { 0.0 };
    Ok((prolongation(&filtered, &t, damping)?, coarse_near_null, vectors))
}

/// A coarse unknown that nothing interpolates from has an empty row: it gets a diagonal of 1, so that it stays zero.
fn with_diagonal(a: CsrMatrix<f64>) -> Result<CsrMatrix<f64>, SolveError> {
    let needs = |i: usize| a.row(i).1.iter().all(|&v| v == 0.0);
    if !(0..a.nrows()).any(needs) {
        return Ok(a);
    }
    product::build_csr(a.nrows(), a.ncols(), |i, sum| {
        if needs(i) {
            sum.add(i as u32, 1.0);
        } else {
            let (cols, vals) = a.row(i);
            cols.iter().zip(vals).for_each(|(&j, &v)| sum.add(j, v));
        }
    })
}
