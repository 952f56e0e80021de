//! What depends on what: orders of evaluation, variables of each row, pattern of the Hessian.

use super::graph::{Graph, Node, NodeId};
use crate::nlp::SparsePattern;
use std::collections::HashSet;
use std::rc::Rc;

/// Nodes under `roots`, ascending, found with `seen` (one entry a node, any value but `stamp` to begin with).
pub(super) fn reachable(graph: &Graph, roots: &[NodeId], seen: &mut [u32], stamp: u32) -> Vec<NodeId> {
    let mut order = Vec::new();
    let mut stack: Vec<NodeId> = roots.to_vec();
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id.index()], stamp) != stamp {
            order.push(id);
            graph.for_each_argument(id, |a| stack.push(a));
        }
    }
    order.sort_unstable();
    order
}

/// The variables among `order`, ascending.
pub(super) fn variables(graph: &Graph, order: &[NodeId]) -> Vec<u32> {
    let mut found: Vec<u32> = order
        .iter()
        .filter_map(|id| match graph.nodes[id.index()] {
            Node::Variable(k) => Some(k),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A pattern of at most this many entries is stored; beyond, the Hessian is an operator.
const MAX_ENTRIES: usize = 40_000_000;

/// Work that is spent on the pattern, in entries written.
const MAX_WORK: usize = 400_000_000;

/// The lower triangle of the Hessian of any combination of the functions under `order`: the pairs of variables
/// that meet in a nonlinear operator. `None` where that is too much to store.
pub(super) fn hessian_pattern(graph: &Graph, order: &[NodeId], n: usize) -> Option<SparsePattern> {
    let mut sets: Vec<Option<Rc<[u32]>>> = vec![None; graph.len()];
    let nothing: Rc<[u32]> = Rc::from([]);
    let mut pairs = Pairs { entries: Vec::new(), done: HashSet::new(), work: 0, sorted: 0 };
    for &id in order {
        let of = |a: NodeId| sets[a.index()].clone().unwrap_or_else(|| nothing.clone());
        let set = match graph.nodes[id.index()] {
            Node::Constant(_) => nothing.clone(),
            Node::Variable(k) => Rc::from([k]),
            Node::Pieces { argument, .. } => of(argument),
            Node::Unary(op, a) => {
                if op.is_curved() {
                    pairs.add(&of(a), &of(a))?;
                }
                of(a)
            }
            Node::Binary(op, a, b) => {
                let (xx, xy, yy) = op.curvature();
                let (a, b) = (of(a), of(b));
                if xx {
                    pairs.add(&a, &a)?;
                }
                if xy {
                    pairs.add(&a, &b)?;
                }
                if yy {
                    pairs.add(&b, &b)?;
                }
                pairs.merge(&[a, b])?
            }
            Node::Sum { start, end } => {
                let all: Vec<_> = graph.terms[start as usize..end as usize].iter().map(|t| of(*t)).collect();
                pairs.merge(&all)?
            }
            // The condition decides, but has no derivative.
            Node::Select { yes, no, .. } => pairs.merge(&[of(yes), of(no)])?,
        };
        sets[id.index()] = Some(set);
    }
    pairs.into_pattern(n)
}

/// Entries (row, column) of a lower triangle, as they come.
struct Pairs {
    entries: Vec<(u32, u32)>,
    /// Sets that were paired already, by address: they live as long as this.
    done: HashSet<(usize, usize)>,
    work: usize,
    /// Entries after the last time repetitions were dropped.
    sorted: usize,
}

impl Pairs {
    fn spend(&mut self, work: usize) -> Option<()> {
        self.work = self.work.saturating_add(work);
        (self.work <= MAX_WORK).then_some(())
    }

    fn add(&mut self, a: &Rc<[u32]>, b: &Rc<[u32]>) -> Option<()> {
        let address = |s: &Rc<[u32]>| s.as_ptr() as usize;
        if a.is_empty() || b.is_empty() || !self.done.insert((address(a), address(b))) {
            return Some(());
        }
        self.spend(a.len().saturating_mul(b.len()))?;
        for &i in a.iter() {
            self.entries.extend(b.iter().map(|&j| (i.max(j), i.min(j))));
            if self.entries.len() > 2 * self.sorted + 1_000_000 {
                self.drop_repetitions()?;
            }
        }
        Some(())
    }

    fn merge(&mut self, sets: &[Rc<[u32]>]) -> Option<Rc<[u32]>> {
        let longest = sets.iter().max_by_key(|s| s.len())?;
        if sets.iter().all(|s| s.is_empty() || Rc::ptr_eq(s, longest)) {
            return Some(longest.clone());
        }
        let mut all: Vec<u32> = sets.iter().flat_map(|s| s.iter().copied()).collect();
        self.spend(all.len())?;
        all.sort_unstable();
        all.dedup();
        Some(if all.len() == longest.len() { longest.clone() } else { Rc::from(all) })
    }

    fn drop_repetitions(&mut self) -> Option<()> {
        self.entries.sort_unstable();
        self.entries.dedup();
        self.sorted = self.entries.len();
        (self.sorted <= MAX_ENTRIES).then_some(())
    }

    fn into_pattern(mut self, n: usize) -> Option<SparsePattern> {
        self.drop_repetitions()?;
        Some(pattern_of_rows(n, &self.entries))
    }
}

/// The pattern with the sorted, distinct `entries`.
pub(super) fn pattern_of_rows(rows: usize, entries: &[(u32, u32)]) -> SparsePattern {
    let mut row_starts = vec![0; rows + 1];
    entries.iter().for_each(|(i, _)| row_starts[*i as usize + 1] += 1);
    for i in 0..rows {
        row_starts[i + 1] += row_starts[i];
    }
    SparsePattern { row_starts, columns: entries.iter().map(|(_, j)| *j).collect() }
}
