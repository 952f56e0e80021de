//! What is done when a stage no longer gets on: Newton's method in logarithms on few columns.
//!
//! The side with fewer points is cut into at most [`MOST`] groups, each of what is most strongly joined; where there are
//! no more points than that, each is a group. With the groups moved by y_J and the rows free, the dual is the
//! semi-dual of the kernel
//!
//! ```text
//! L_iJ = log Σ_{j∈J} exp(u_i + v_j − C_ij/ε),
//! ```
//!
//! nothing left out, and [`super::damped`] minimises it however far its start is away. The dual objective never gets
//! worse, and what is left of the error lies within groups, whose links are strong.

use super::damped::Damped;
use super::reduced::Reduced;
use super::run::{Run, Work};
use super::sweep::{Block, block_rows};
use rayon::prelude::*;
use std::time::Duration;

/// Most groups.
const MOST: usize = 512;

/// Entries of the kernel at most.
const KERNEL: usize = 1 << 20;

/// Steps of one rescue at most.
const STEPS: usize = 1000;

/// Rows a task takes.
const ROWS: usize = 16;

/// Workspace.
#[derive(Debug, Default)]
pub(super) struct Rescue {
    damped: Damped,
    group: Vec<u32>,
}

/// Whether the rows are grouped, and the most groups.
fn side(problem: &Reduced<'_>) -> (bool, usize) {
    let (n, m) = (problem.n(), problem.m());
    (n < m, MOST.min(KERNEL / n.max(m)).max(1))
}

/// Whether groups of several points are needed, and so the support of a sweep.
pub(super) fn needs_support(problem: &Reduced<'_>) -> bool {
    problem.n().min(problem.m()) > side(problem).1
}

impl Run<'_> {
    /// Newton's method in logarithms, on groups of the smaller side; returns its steps.
    pub(super) fn rescue(&mut self, inv_eps: f64, target: f64) -> usize {
        let Work { u, v, sums, rescue, .. } = &mut *self.work;
        let limit = self.options.time_limit.unwrap_or(Duration::MAX);
        let go_on = || self.began.elapsed() < limit;
        rescue.run(self.problem, inv_eps, u, v, &sums.blocks, target, go_on)
    }
}

impl Rescue {
    /// Moves `u` and `v` to the error `target` of the groups. Returns Newton steps.
    pub(super) fn run(
        &mut self,
        problem: &Reduced<'_>,
        inv_eps: f64,
        u: &mut [f64],
        v: &mut [f64],
        blocks: &[Block],
        target: f64,
        go_on: impl Fn() -> bool,
    ) -> usize {
        let (flipped, most) = side(problem);
        let (few, many) = if flipped { (&problem.a, &problem.b) } else { (&problem.b, &problem.a) };
        let k = if few.len() > most { self.join(problem, blocks, flipped, most) } else { few.len() };
        if few.len() <= most {
            self.group.clear();
            self.group.extend(0..k as u32);
        }
        let Self { damped, group } = self;
        damped.a.clone_from(many);
        damped.b.clear();
        damped.b.resize(k, 0.0);
        few.iter().zip(&*group).for_each(|(b, g)| damped.b[*g as usize] += b);
        let (outer, inner) = if flipped { (&*v, &*u) } else { (&*u, &*v) };
        damped.kernel.clear();
        damped.kernel.resize(many.len() * k, f64::NEG_INFINITY);
        damped.kernel.par_chunks_mut(ROWS * k).enumerate().for_each(|(block, rows)| {
            let (mut top, mut terms) = (vec![0.0; k], vec![0.0; inner.len()]);
            for (r, row) in rows.chunks_exact_mut(k).enumerate() {
                let i = block * ROWS + r;
                top.fill(f64::NEG_INFINITY);
                for (j, (term, g)) in terms.iter_mut().zip(&*group).enumerate() {
                    let cost = if flipped { problem.entry(j, i) } else { problem.entry(i, j) };
                    *term = cost.mul_add(-inv_eps, outer[i] + inner[j]);
                    top[*g as usize] = f64::max(top[*g as usize], *term);
                }
                if k == inner.len() {
                    row.copy_from_slice(&terms);
                    continue;
                }
                row.fill(0.0);
                for (term, g) in terms.iter().zip(&*group) {
                    let top = top[*g as usize];
                    row[*g as usize] += if top > f64::NEG_INFINITY { (term - top).exp() } else { 0.0 };
                }
                row.iter_mut().zip(&top).for_each(|(l, top)| *l = l.ln() + top);
            }
        });
        let (steps, _) = damped.minimise(target, STEPS, go_on);
        let (outer, inner) = if flipped { (v, u) } else { (u, v) };
        inner.iter_mut().zip(&*group).for_each(|(v, g)| *v += damped.y[*g as usize]);
        outer.iter_mut().zip(&damped.u).for_each(|(u, x)| *u += x);
        steps
    }

    /// Groups of what is joined most strongly, by the entries of the plan that the last sweep collected. Returns
    /// their number.
    fn join(&mut self, problem: &Reduced<'_>, blocks: &[Block], flipped: bool, most: usize) -> usize {
        let (n, m) = (problem.n(), problem.m());
        let mut links: Vec<(f64, u32, u32)> = Vec::new();
        for (k, Block { support, .. }) in blocks.iter().enumerate() {
            // A block that had too many links has none; they are not weak.
            let mut entries = support.cols.iter().zip(&support.values);
            for (row, len) in (k * block_rows(problem)..).zip(&support.row_len) {
                for (j, p) in entries.by_ref().take(*len as usize) {
                    links.push((p / problem.a[row].min(problem.b[*j as usize]), row as u32, *j));
                }
            }
        }
        links.sort_unstable_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)).then(x.2.cmp(&y.2)));
        // Rows and columns as one set of nodes; what is counted are the nodes of the side that is grouped.
        let mut parent: Vec<u32> = (0..(n + m) as u32).collect();
        let ours = if flipped { 0..n } else { n..n + m };
        let mut has: Vec<bool> = (0..n + m).map(|x| ours.contains(&x)).collect();
        let mut count = ours.len();
        for (_, i, j) in links {
            if count <= most {
                break;
            }
            let (x, y) = (root(&mut parent, i), root(&mut parent, n as u32 + j));
            if x != y {
                parent[x.max(y) as usize] = x.min(y);
                let (hx, hy) = (has[x as usize], has[y as usize]);
                count -= usize::from(hx && hy);
                has[x.min(y) as usize] = hx || hy;
            }
        }
        let mut name = vec![u32::MAX; n + m];
        self.group.clear();
        let mut named = 0;
        for x in ours {
            let r = root(&mut parent, x as u32) as usize;
            if name[r] == u32::MAX {
                // More groups than fit, all of them without a link: the rest go together.
                name[r] = named.min(most as u32 - 1);
                named += 1;
            }
            self.group.push(name[r]);
        }
        (named as usize).min(most)
    }
}

/// The root of x, paths halved.
fn root(parent: &mut [u32], mut x: u32) -> u32 {
    while parent[x as usize] != x {
        parent[x as usize] = parent[parent[x as usize] as usize];
        x = parent[x as usize];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_what_is_joined_most_strongly() {
        // Six rows and columns in three pairs without links between.
        let n = 6;
        let cost = |k: usize| {
            let (i, j) = (k / n, k % n);
            if i / 2 == j / 2 { 1.0 } else { 5.0 }
        };
        let costs = super::super::reduced::Costs::Dense((0..n * n).map(cost).collect::<Vec<_>>().into());
        let even = vec![1.0 / 6.0; n];
        let problem = Reduced::of(even.clone(), even, costs, false, false);
        let mut block = Block::default();
        for i in 0..n {
            for j in 0..n {
                if i / 2 == j / 2 {
                    block.support.cols.push(j as u32);
                    block.support.values.push(0.05);
                }
            }
            block.support.row_len.push(2);
        }
        let mut rescue = Rescue::default();
        let blocks = [block];
        assert_eq!(rescue.join(&problem, &blocks, false, 3), 3);
        assert_eq!(rescue.group, [0, 0, 1, 1, 2, 2]);
        // Fewer groups than parts: those without a link share the last.
        assert_eq!(rescue.join(&problem, &blocks, true, 2), 2);
        assert_eq!(rescue.group, [0, 0, 1, 1, 1, 1]);
    }
}
