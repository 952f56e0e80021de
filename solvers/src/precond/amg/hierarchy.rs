//! Set-up: from A to a sequence of ever smaller Galerkin matrices A_{l+1} = Pᵀ A_l P.

use super::aggregates;
use super::classical;
use super::coarse::CoarseInverse;
use super::cycle::{Hierarchy, Level};
use super::graph::Graph;
use super::options::{AggregationOptions, AmgOptions, Coarsening};
use super::rows::ROWS;
use super::smoothed::{Filtered, prolongation};
use super::smoother;
use super::smoother::{Coloring, Smoother};
use super::tentative::Tentative;
use super::transfer::Transfer;
use super::{product, repair, util};
use crate::precond::amg::Complexity;
use crate::{Scalar, SolveError};
use rayon::prelude::*;
use residua_data::CsrMatrix;
use std::sync::Arc;

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
) -> Result<(Hierarchy<T>, Complexity, Kept), SolveError> {
    let mut levels: Vec<Level<T>> = Vec::new();
    let mut complexity = Complexity::default();
    let mut kept = Kept::default();
    if options.reuse_prolongation && options.block_size == 1 && near_null.is_none() {
        kept.alone = repair::alone(a);
    }
    let mut coarse: Option<Coarser> = None;
    // A transfer is numbered as both its levels are, so it waits for the coarser one.
    let mut waiting: Option<Waiting> = None;
    let mut numbering = None;
    loop {
        let level = levels.len();
        let (current, near_null, block_size) = match &coarse {
            None => (a, near_null, options.block_size),
            Some(c) => (&c.matrix, c.near_null.as_ref(), c.block_size),
        };
        let n = current.nrows();
        complexity.rows.push(n);
        complexity.nnz.push(current.nnz());
        // The smoother needs nothing of the next level, and its colouring would keep a thread alone.
        let (smoother, next) = if n <= options.coarse_size || level + 1 >= options.max_levels {
            (None, None)
        } else {
            let (smoother, next) = rayon::join(
                || smoother::build(options.smoother, current, level, symmetric),
                || coarser(current, options, level, block_size, near_null),
            );
            (Some(smoother?), next?)
        };
        let smoother = match smoother {
            Some(smoother) if next.is_some() => smoother,
            _ if is_dense(n, options) => {
                Smoother { sweeps: Box::new(CoarseInverse::new(current, symmetric)?), coloring: None }
            }
            Some(smoother) => smoother,
            None => smoother::build(options.smoother, current, level, symmetric)?,
        };
        let Smoother { sweeps, coloring } = smoother;
        kept.colorings.push(coloring.clone());
        if let Some(Waiting { p, r, coloring: finer, open }) = waiting.take()
            && let Some(level) = levels.last_mut()
        {
            level.connect(Transfer::new((&p, &r), (finer.as_deref(), coloring.as_deref()), open)?);
            numbering = numbering.or(finer.filter(|_| levels.len() == 1));
            if options.reuse_prolongation {
                kept.transfers.push((p, r));
            }
        }
        let open = sweeps.open();
        levels.push(Level::new(n, sweeps));
        let Some(Coarse { p, r, level }) = next else {
            let numbering = numbering.or(coloring.filter(|_| levels.len() == 1));
            kept.matrices.extend(coarse.filter(|_| options.reuse_prolongation).map(|c| c.matrix));
            return Ok((Hierarchy::new(levels, options, numbering), complexity, kept));
        };
        waiting = Some(Waiting { p, r, coloring, open });
        let finer = coarse.replace(level);
        kept.matrices.extend(finer.filter(|_| options.reuse_prolongation).map(|c| c.matrix));
    }
}

/// P and R between two levels, in the matrices' numbering.
pub(super) type Pair = (CsrMatrix<f64>, CsrMatrix<f64>);

/// What a refresh starts from.
#[derive(Default)]
pub(super) struct Kept {
    /// P and R between each level and the next, where [`AmgOptions::reuse_prolongation`] is set.
    pub transfers: Vec<Pair>,
    /// The matrices of the coarser levels, likewise.
    pub matrices: Vec<CsrMatrix<f64>>,
    /// The unknowns of A without connections, where P can be mended if that changes: none else.
    pub alone: Vec<bool>,
    /// P and R of the finest level, where they were mended for the present matrix.
    pub mended: Option<Pair>,
    /// The numbering of each level.
    pub colorings: Vec<Option<Arc<Coloring>>>,
}

/// The coarsest level of n unknowns is solved by a dense inverse.
pub(super) fn is_dense(n: usize, options: &AmgOptions) -> bool {
    n <= MAX_DENSE.max(options.coarse_size)
}

/// A coarser level as the Galerkin product makes it.
struct Coarser {
    matrix: CsrMatrix<f64>,
    near_null: Option<NearNullSpace>,
    block_size: usize,
}

/// A coarser level and the way there.
struct Coarse {
    p: CsrMatrix<f64>,
    r: CsrMatrix<f64>,
    level: Coarser,
}

/// A transfer in the matrices' own numbering, and that of the finer level's vectors.
struct Waiting {
    p: CsrMatrix<f64>,
    r: CsrMatrix<f64>,
    coloring: Option<Arc<Coloring>>,
    open: usize,
}

/// The next level; none if nothing is gained.
fn coarser(
    a: &CsrMatrix<f64>,
    options: &AmgOptions,
    level: usize,
    block_size: usize,
    near_null: Option<&NearNullSpace>,
) -> Result<Option<Coarse>, SolveError> {
    let aggregated = |sa: &AggregationOptions| by_aggregation(a, sa, level, block_size, near_null).map(Some);
    let next = match &options.coarsening {
        Coarsening::Auto => aggregated(&AggregationOptions::default())?,
        Coarsening::SmoothedAggregation(sa) => aggregated(sa)?,
        Coarsening::Classical(classical) => {
            classical::prolongation(a, classical, level)?.map(|next| (next.p, None, 1))
        }
    };
    let Some((p, near_null, block_size)) = next else { return Ok(None) };
    if p.ncols() == 0 || p.ncols() as f64 >= LEAST_REDUCTION * a.nrows() as f64 {
        return Ok(None);
    }
    let r = product::transpose(&p)?;
    let matrix = with_diagonal(product::galerkin(&r, a, &p)?)?;
    Ok(Some(Coarse { p, r, level: Coarser { matrix, near_null, block_size } }))
}

/// P, the coarse level's near null space and the unknowns of its nodes.
type Prolongation = (CsrMatrix<f64>, Option<NearNullSpace>, usize);

fn by_aggregation(
    a: &CsrMatrix<f64>,
    options: &AggregationOptions,
    level: usize,
    block_size: usize,
    near_null: Option<&NearNullSpace>,
) -> Result<Prolongation, SolveError> {
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
    if !(0..a.nrows()).into_par_iter().with_min_len(ROWS).any(needs) {
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
