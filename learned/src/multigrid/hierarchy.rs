//! All levels of a problem, before they become vectors and kernels.

use super::coarsen::{Transfer, coarsen};
use super::coarsest::sealed_regions;
use super::graph::Graph;
use crate::LearnedError;
use crate::coefficients::Coefficients;
use residua_solvers::precond::multigrid::GridProblem;

/// A level of at most so many nodes is solved directly. With 64, mazes of 256² take 12 iterations in the place of 9.
pub(super) const COARSEST: usize = 256;

/// ... and one of more is refused there.
const COARSEST_MOST: usize = 4096;

/// Levels but the coarsest; each halves the cells along every axis.
pub(super) const MAX_DEPTH: usize = 16;

/// Graphs with their transfers, the finest first, and the coarsest graph.
pub(super) struct Hierarchy {
    pub(super) levels: Vec<(Graph, Transfer)>,
    pub(super) coarsest: Graph,
}

impl Hierarchy {
    /// At most `depth` levels beside the coarsest.
    ///
    /// # Errors
    /// [`LearnedError::Geometry`] for a grid that is too large, or whose coarsest level is.
    pub(super) fn new(
        problem: &GridProblem,
        coefficients: &Coefficients,
        depth: usize,
    ) -> Result<Self, LearnedError> {
        problem.check()?;
        let axes = problem.dims.iter().filter(|&&n| n > 1).count();
        if axes > coefficients.dim || (axes == 2 && coefficients.dim == 3) {
            let found = format!("a problem of {:?} points", problem.dims);
            return Err(LearnedError::geometry(found, format!("a grid of {} dimensions", coefficients.dim)));
        }
        let mut graph = Graph::of_problem(problem)?;
        let mut levels = Vec::new();
        while graph.len() > COARSEST && levels.len() < depth {
            let (coarse, transfer) = coarsen(&graph, coefficients.level(levels.len()));
            levels.push((std::mem::replace(&mut graph, coarse), transfer));
        }
        if graph.len() > COARSEST_MOST {
            let found = format!("{} nodes left after {} levels", graph.len(), levels.len());
            return Err(LearnedError::geometry(found, format!("at most {COARSEST_MOST}")));
        }
        Ok(Self { levels, coarsest: graph })
    }

    /// For each node of the finest level the region it is in, where that region has no boundary value, and the regions'
    /// sizes; nothing where there is no such region.
    ///
    /// Coarsening keeps what is connected connected. So where no node vanishes and the coarsest graph has no such region,
    /// there is none.
    pub(super) fn sealed(&self) -> Option<(Vec<u32>, Vec<u32>)> {
        if self.levels.iter().all(|(_, transfer)| transfer.is_whole)
            && sealed_regions(&self.coarsest).is_empty()
        {
            return None;
        }
        let finest = self.levels.first().map_or(&self.coarsest, |(graph, _)| graph);
        let mut region = vec![u32::MAX; finest.len()];
        let mut stack: Vec<u32> = finest.outer.iter().map(|o| o.node).collect();
        const OPEN: u32 = u32::MAX - 1;
        stack.iter().for_each(|&i| region[i as usize] = OPEN);
        let flood = |stack: &mut Vec<u32>, region: &mut [u32], id: u32| {
            let mut size = stack.len() as u32;
            while let Some(i) = stack.pop() {
                for e in finest.edges_of(i as usize) {
                    if region[e.to as usize] == u32::MAX {
                        region[e.to as usize] = id;
                        size += 1;
                        stack.push(e.to);
                    }
                }
            }
            size
        };
        flood(&mut stack, &mut region, OPEN);
        let mut sizes = Vec::new();
        for i in 0..finest.len() {
            if region[i] == u32::MAX {
                region[i] = sizes.len() as u32;
                stack.push(i as u32);
                sizes.push(flood(&mut stack, &mut region, sizes.len() as u32));
            }
        }
        (!sizes.is_empty()).then_some((region, sizes))
    }
}
