//! Whether the allowed pairs can carry the weights: a maximum flow from sources to targets along finite costs.
//!
//! A greedy flow, then the method of Edmonds and Karp (1972): as long as one exists, a shortest path from a source with
//! supply left to a target with demand left, found breadth-first, carries as much as fits. Every path costs one search, O(nm).
//! By Gale's theorem the flow carries the whole mass exactly if no set of sources outweighs its neighbours.

use super::reduced::Reduced;

/// Mass that may stay behind by rounding.
const SLACK: f64 = 1e-12;

/// Whether a plan with the marginals exists on the pairs of finite cost.
pub(super) fn is_feasible(problem: &Reduced<'_>) -> bool {
    let (n, m) = (problem.n(), problem.m());
    let allowed = |i: usize, j: usize| problem.entry(i, j) < f64::INFINITY;
    let (mut supply, mut demand) = (problem.a.clone(), problem.b.clone());
    let mut flows: Vec<Vec<(u32, f64)>> = vec![Vec::new(); m];
    // Greedy start.
    for i in 0..n {
        for j in 0..m {
            if supply[i] <= 0.0 {
                break;
            }
            if demand[j] > 0.0 && allowed(i, j) {
                push(&mut flows[j], i, supply[i].min(demand[j]), &mut supply[i], &mut demand[j]);
            }
        }
    }
    loop {
        let left: f64 = supply.iter().sum();
        if left <= SLACK {
            return true;
        }
        // Breadth-first: sources with supply, their targets, the sources that feed these, ...
        let mut parent_of_target = vec![u32::MAX; m];
        let mut parent_of_source = vec![u32::MAX; n];
        let mut queue: Vec<usize> = (0..n).filter(|i| supply[*i] > SLACK / n as f64).collect();
        let mut seen = vec![false; n];
        queue.iter().for_each(|i| seen[*i] = true);
        let (mut head, mut end) = (0, None);
        'search: while head < queue.len() {
            let i = queue[head];
            head += 1;
            for j in 0..m {
                if parent_of_target[j] == u32::MAX && allowed(i, j) {
                    parent_of_target[j] = i as u32;
                    if demand[j] > SLACK / m as f64 {
                        end = Some(j);
                        break 'search;
                    }
                    for &(k, flow) in &flows[j] {
                        if flow > 0.0 && !seen[k as usize] {
                            seen[k as usize] = true;
                            parent_of_source[k as usize] = j as u32;
                            queue.push(k as usize);
                        }
                    }
                }
            }
        }
        let Some(end) = end else { return left <= SLACK * 2.0 };
        augment(end, &parent_of_target, &parent_of_source, &mut supply, &mut demand, &mut flows);
    }
}

fn push(flows: &mut Vec<(u32, f64)>, i: usize, amount: f64, supply: &mut f64, demand: &mut f64) {
    flows.push((i as u32, amount));
    *supply -= amount;
    *demand -= amount;
}

/// Sends as much as fits along the path that ends in target `end`.
fn augment(
    end: usize,
    parent_of_target: &[u32],
    parent_of_source: &[u32],
    supply: &mut [f64],
    demand: &mut [f64],
    flows: &mut [Vec<(u32, f64)>],
) {
    let carried = |flows: &[Vec<(u32, f64)>], j: usize, i: usize| {
        flows[j].iter().find(|f| f.0 as usize == i).map_or(0.0, |f| f.1)
    };
    let (mut amount, mut j) = (demand[end], end);
    let origin = loop {
        let i = parent_of_target[j] as usize;
        let back = parent_of_source[i];
        if back == u32::MAX {
            break i;
        }
        amount = amount.min(carried(flows, back as usize, i));
        j = back as usize;
    };
    amount = amount.min(supply[origin]);
    supply[origin] -= amount;
    demand[end] -= amount;
    let mut j = end;
    loop {
        let i = parent_of_target[j] as usize;
        add(&mut flows[j], i, amount);
        let back = parent_of_source[i];
        if back == u32::MAX {
            return;
        }
        add(&mut flows[back as usize], i, -amount);
        j = back as usize;
    }
}

fn add(flows: &mut Vec<(u32, f64)>, i: usize, amount: f64) {
    match flows.iter_mut().find(|f| f.0 as usize == i) {
        Some(f) => f.1 += amount,
        None => flows.push((i as u32, amount)),
    }
    flows.retain(|f| f.1 > 0.0);
}
