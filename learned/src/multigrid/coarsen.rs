//! The next graph, and the transfers to it.
//!
//! Resistances are in series along lines: a fine edge (i, j) along axis a that joins two components I ≠ J has
//! R_i + 1/w + R_j, where R_i is half the resistance between i and its partner in the pair within the coarse cell (0
//! where there is none). Edges between the same two components add their conductances. Node i takes from the component J
//! behind an outward edge the share f = R_i / (R_i + 1/w + R_j): the flux-limited weights of Alcouffe, Brandt, Dendy,
//! Painter (1981), SIAM J. Sci. Stat. Comput. 2(4), for cells. So f = 1/4 where all is constant, and nothing leaks
//! through a wall.

use super::graph::{Edge, Graph, Outer};
use super::rows::Rows;
use crate::coefficients::Level;
use rayon::prelude::*;

/// P, by fine nodes, and Pᵀ, by coarse ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Transfer {
    pub(super) rows: Rows,
    pub(super) columns: Rows,
    /// Whether every node has a component.
    pub(super) is_whole: bool,
}

/// Most entries of a row of P: the own component, and one outward neighbour an axis. Where a neighbour is split, the
/// first three count.
const SHARES: usize = 4;

#[inline(always)]
fn same_cell(a: [u16; 3], b: [u16; 3]) -> bool {
    (0..3).all(|axis| a[axis] / 2 == b[axis] / 2)
}

/// Half the resistance within the pair of each node, by axis; 0 where there is no partner.
fn half_within(fine: &Graph) -> Vec<[f32; 3]> {
    (0..fine.len())
        .into_par_iter()
        .map(|i| {
            let mut w = [0.0f32; 3];
            for e in fine.edges_of(i).iter().filter(|e| same_cell(fine.cell[i], fine.cell[e.to as usize])) {
                w[usize::from(e.side / 2)] += e.w;
            }
            w.map(|w| if w > 0.0 { 0.5 / w } else { 0.0 })
        })
        .collect()
}

/// A node without edges and boundary values: no unknown any more.
const NONE: u32 = u32::MAX;

/// The component of each node, numbered by first nodes, and the cells of the components. Nodes that nothing is joined to
/// have none: a region that no boundary value reaches ends as such a node, its mean being free.
fn components(fine: &Graph, has_outer: &[bool]) -> (Vec<u32>, Vec<[u16; 3]>) {
    let mut parent = vec![NONE; fine.len()];
    let (mut cell, mut stack) = (Vec::new(), Vec::new());
    for seed in 0..fine.len() {
        let is_alone = || fine.edges_of(seed).is_empty() && !has_outer[seed];
        if parent[seed] != NONE || is_alone() {
            continue;
        }
        let id = cell.len() as u32;
        cell.push(fine.cell[seed].map(|c| c / 2));
        parent[seed] = id;
        stack.push(seed);
        while let Some(i) = stack.pop() {
            for e in fine.edges_of(i) {
                let j = e.to as usize;
                if parent[j] == NONE && same_cell(fine.cell[i], fine.cell[j]) {
                    parent[j] = id;
                    stack.push(j);
                }
            }
        }
    }
    (parent, cell)
}

/// The next graph and the transfers, with the coefficients `level`.
pub(super) fn coarsen(fine: &Graph, level: &Level) -> (Graph, Transfer) {
    // What runs on one thread has company: set-up is more than half of a solve.
    let (half, (has_outer, (parent, cell))) = rayon::join(
        || half_within(fine),
        || {
            let has_outer = fine.has_outer();
            let found = components(fine, &has_outer);
            (has_outer, found)
        },
    );
    let coarse_n = cell.len();
    let (transfer, ((first, edges), outer)) = rayon::join(
        || {
            let rows = prolongation(fine, &half, &parent, &has_outer, level.transfer as f32);
            let columns = rows.transpose(coarse_n);
            Transfer { rows, columns, is_whole: !parent.contains(&NONE) }
        },
        || (all_edges(fine, &half, &parent, coarse_n, level), all_outer(fine, &half, &parent, level)),
    );
    (Graph { cell, first, edges, outer, faces: fine.faces }, transfer)
}

/// The edges of the coarse graph, and where those of each node begin.
fn all_edges(
    fine: &Graph,
    half: &[[f32; 3]],
    parent: &[u32],
    coarse_n: usize,
    level: &Level,
) -> (Vec<u32>, Vec<Edge>) {
    let (children, scale) = (children(parent, coarse_n), level.coarse as f32);
    let parts = chunks(coarse_n, |nodes| {
        let (mut ends, mut edges) = (Vec::with_capacity(nodes.len()), Vec::with_capacity(6 * nodes.len()));
        for c in nodes {
            coarse_edges(fine, half, parent, children.of(c), c as u32, scale, &mut edges);
            ends.push(edges.len() as u32);
        }
        (ends, edges)
    });
    let mut first = Vec::with_capacity(coarse_n + 1);
    let mut edges = Vec::with_capacity(parts.iter().map(|(_, edges)| edges.len()).sum());
    first.push(0);
    for (ends, part) in parts {
        let before = edges.len() as u32;
        edges.extend(part);
        first.extend(ends.iter().map(|end| before + end));
    }
    (first, edges)
}

/// The conductances of the coarse graph to boundary values.
fn all_outer(fine: &Graph, half: &[[f32; 3]], parent: &[u32], level: &Level) -> Vec<Outer> {
    let (scale, boundary) = (level.coarse as f32, level.boundary as f32);
    let mut all: Vec<Outer> = fine
        .outer
        .iter()
        .map(|o| {
            // A node with a boundary value has a component.
            let r = half[o.node as usize][usize::from(o.side / 2)];
            Outer { node: parent[o.node as usize], side: o.side, w: scale * boundary / (r + 1.0 / o.w) }
        })
        .collect();
    all.sort_by_key(|o| (o.node, o.side));
    let mut outer: Vec<Outer> = Vec::new();
    for o in all {
        match outer.last_mut() {
            Some(last) if (last.node, last.side) == (o.node, o.side) => last.w += o.w,
            _ => outer.push(o),
        }
    }
    outer
}

/// Nodes of one task; it fills vectors of its own, so that nothing is allocated by node.
const CHUNK: usize = 4096;

/// What `work` makes of each chunk of `n` nodes, in their order.
fn chunks<T: Send>(n: usize, work: impl Fn(std::ops::Range<usize>) -> T + Sync) -> Vec<T> {
    (0..n.div_ceil(CHUNK)).into_par_iter().map(|k| work(k * CHUNK..n.min((k + 1) * CHUNK))).collect()
}

/// Appends the edges of component `c` to others; those of its children add up.
fn coarse_edges(
    fine: &Graph,
    half: &[[f32; 3]],
    parent: &[u32],
    children: &[u32],
    c: u32,
    scale: f32,
    edges: &mut Vec<Edge>,
) {
    let begin = edges.len();
    for &i in children {
        for e in fine.edges_of(i as usize) {
            let to = parent[e.to as usize];
            if to == c {
                continue;
            }
            let axis = usize::from(e.side / 2);
            // Symmetric to the last bit: the two halves are added first.
            let w = scale / ((half[i as usize][axis] + half[e.to as usize][axis]) + 1.0 / e.w);
            match edges[begin..].iter_mut().find(|have| have.to == to && have.side == e.side) {
                Some(have) => have.w += w,
                None => edges.push(Edge { to, side: e.side, w }),
            }
        }
    }
}

fn prolongation(fine: &Graph, half: &[[f32; 3]], parent: &[u32], has_outer: &[bool], alpha: f32) -> Rows {
    let row = |i: usize, row: &mut [(u32, f32); SHARES]| {
        if parent[i] == NONE {
            return 0;
        }
        let (mut len, mut sum) = (1usize, 0.0f32);
        let is_outward = |side: u8| fine.cell[i][usize::from(side / 2)] % 2 == u16::from(side % 2);
        for e in fine.edges_of(i).iter().filter(|e| is_outward(e.side)) {
            let axis = usize::from(e.side / 2);
            let r = half[i][axis];
            let f = alpha * r / (r + 1.0 / e.w + half[e.to as usize][axis]);
            if f > 0.0 && len < SHARES {
                row[len] = (parent[e.to as usize], f);
                sum += f;
                len += 1;
            }
        }
        if has_outer[i] {
            for o in fine.outer_of(i).filter(|o| is_outward(o.side)) {
                let r = half[i][usize::from(o.side / 2)];
                sum += alpha * r / (r + 1.0 / o.w);
            }
        }
        let most = sum.max(1.0);
        row[1..len].iter_mut().for_each(|f| f.1 /= most);
        row[0] = (parent[i], 1.0 - sum / most);
        len
    };
    let parts = chunks(fine.len(), |nodes| {
        let mut part = Rows::default();
        part.first.reserve_exact(nodes.len());
        part.index.reserve_exact(SHARES * nodes.len());
        part.value.reserve_exact(SHARES * nodes.len());
        let mut shares = [(0, 0.0); SHARES];
        for i in nodes {
            let len = row(i, &mut shares);
            for &(j, f) in &shares[..len] {
                part.index.push(j);
                part.value.push(f);
            }
            part.first.push(part.index.len() as u32);
        }
        part
    });
    let entries = parts.iter().map(|part| part.index.len()).sum();
    let mut rows = Rows::default();
    rows.first.reserve_exact(fine.len() + 1);
    rows.index.reserve_exact(entries);
    rows.value.reserve_exact(entries);
    rows.first.push(0);
    for part in parts {
        let before = rows.index.len() as u32;
        rows.index.extend(part.index);
        rows.value.extend(part.value);
        rows.first.extend(part.first.iter().map(|end| before + end));
    }
    rows
}

/// Fine nodes by component.
struct Children {
    first: Vec<u32>,
    nodes: Vec<u32>,
}

impl Children {
    #[inline(always)]
    fn of(&self, c: usize) -> &[u32] {
        &self.nodes[self.first[c] as usize..self.first[c + 1] as usize]
    }
}

fn children(parent: &[u32], coarse_n: usize) -> Children {
    let mut first = vec![0u32; coarse_n + 1];
    let joined = || parent.iter().enumerate().filter(|(_, c)| **c != NONE);
    joined().for_each(|(_, &c)| first[c as usize + 1] += 1);
    (0..coarse_n).for_each(|c| first[c + 1] += first[c]);
    let mut next = first.clone();
    let mut nodes = vec![0; parent.len()];
    for (i, &c) in joined() {
        nodes[next[c as usize] as usize] = i as u32;
        next[c as usize] += 1;
    }
    Children { first, nodes }
}
