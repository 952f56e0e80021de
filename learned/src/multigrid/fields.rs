//! A hierarchy as padded tables: what the ONNX graph of the cycle takes beside the residual.
//!
//! Row i of a table of m columns holds the entries of row i of a sparse matrix, then entries 0 at index 0. Levels that the
//! graph has and the hierarchy has not are identities: D⁻¹ = 0 keeps their vectors as they are, P = 1, and A is that of the
//! coarsest level, so that a first visit leaves nothing to later ones.

use super::coarsest::Coarsest;
use super::graph::Graph;
use super::hierarchy::Hierarchy;
use super::level::inverse_diagonal;
use super::rows::Rows;
use super::sealed::Sealed;
use crate::LearnedError;
use crate::coefficients::Coefficients;
use residua_solvers::precond::multigrid::GridProblem;

/// A sparse matrix, each row padded to the same number of entries, at least one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) index: Vec<i64>,
    pub(crate) value: Vec<f32>,
}

impl Table {
    fn of(m: &Rows) -> Self {
        let rows = m.len();
        let columns = (0..rows).map(|i| m.row(i).count()).max().unwrap_or(0).max(1);
        let (mut index, mut value) = (vec![0; rows * columns], vec![0.0; rows * columns]);
        for i in 0..rows {
            for (k, (j, v)) in m.row(i).enumerate() {
                (index[i * columns + k], value[i * columns + k]) = (j as i64, v);
            }
        }
        Self { rows, columns, index, value }
    }

    fn identity(n: usize) -> Self {
        Self { rows: n, columns: 1, index: (0..n as i64).collect(), value: vec![1.0; n] }
    }
}

/// One level.
#[derive(Debug, Clone)]
pub(crate) struct LevelFields {
    pub(crate) w: Table,
    pub(crate) diagonal: Vec<f32>,
    pub(crate) inverse: Vec<f32>,
    pub(crate) p: Table,
    /// Pᵀ.
    pub(crate) r: Table,
}

/// All levels.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) levels: Vec<LevelFields>,
    /// Order of the coarsest level, and its dense inverse.
    pub(crate) coarsest: usize,
    pub(crate) coarsest_inverse: Vec<f32>,
    pub(crate) sealed: Option<Sealed>,
}

impl Fields {
    /// Of `problem` for a graph of `depth` levels beside the coarsest.
    ///
    /// # Errors
    /// As [`LearnedMultigrid::new`](super::LearnedMultigrid::new).
    pub(crate) fn new(
        problem: &GridProblem,
        coefficients: &Coefficients,
        depth: usize,
    ) -> Result<Self, LearnedError> {
        coefficients.check()?;
        let hierarchy = Hierarchy::new(problem, coefficients, depth)?;
        let sealed = hierarchy.sealed().map(|(region, sizes)| Sealed::new(region, sizes));
        let coarsest = Coarsest::new(&hierarchy.coarsest)?;
        let mut levels: Vec<LevelFields> = hierarchy
            .levels
            .iter()
            .enumerate()
            .map(|(k, (graph, transfer))| {
                let (diagonal, inverse) = inverse_diagonal(graph, coefficients.level(k).walls);
                let (p, r) = (Table::of(&transfer.rows), Table::of(&transfer.columns));
                LevelFields { w: Table::of(&conductances(graph)), diagonal, inverse, p, r }
            })
            .collect();
        let n = coarsest.n;
        let (w, (diagonal, _)) =
            (Table::of(&conductances(&hierarchy.coarsest)), hierarchy.coarsest.diagonal());
        levels.resize_with(depth, || LevelFields {
            w: w.clone(),
            diagonal: diagonal.clone(),
            inverse: vec![0.0; n],
            p: Table::identity(n),
            r: Table::identity(n),
        });
        Ok(Self { levels, coarsest: n, coarsest_inverse: coarsest.inverse, sealed })
    }
}

fn conductances(graph: &Graph) -> Rows {
    Rows {
        first: graph.first.clone(),
        index: graph.edges.iter().map(|e| e.to).collect(),
        value: graph.edges.iter().map(|e| e.w).collect(),
    }
}
