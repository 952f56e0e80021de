//! Evaluation of a graph, with derivatives of first and second order.
//!
//! One forward sweep gives the values; a reverse sweep from a node gives its gradient at the cost of a few values
//! (Griewank & Walther, *Evaluating Derivatives*, 2nd ed., ch. 3). For z = φ(x, y) the reverse step is x̄ += z̄ φ_x.
//! A forward sweep of tangents ẋ before a reverse sweep of pairs (x̄, x̄̇) gives a Hessian times a vector (ch. 5):
//!
//! x̄̇ += z̄̇ φ_x + z̄ (φ_xx ẋ + φ_xy ẏ).
//!
//! The partial derivatives of all nodes are computed once a point; the sweeps of a Hessian only multiply and add.

use super::graph::{Graph, Node, NodeId};
use super::operator::Partials;

/// Numbers of a point, one a node; made once and used again.
#[derive(Debug, Default, Clone)]
pub(super) struct Scratch {
    pub(super) values: Vec<f64>,
    partials: Vec<Partials>,
    adjoints: Vec<f64>,
    tangents: Vec<f64>,
    tangent_adjoints: Vec<f64>,
    /// A vector over the variables.
    pub(super) direction: Vec<f64>,
    /// Another.
    pub(super) product: Vec<f64>,
}

impl Scratch {
    pub(super) fn new(nodes: usize, variables: usize) -> Self {
        Self {
            values: vec![0.0; nodes],
            partials: vec![Partials::default(); nodes],
            adjoints: vec![0.0; nodes],
            tangents: vec![0.0; nodes],
            tangent_adjoints: vec![0.0; nodes],
            direction: vec![0.0; variables],
            product: vec![0.0; variables],
        }
    }

    /// Values of the nodes in `order` (ascending).
    pub(super) fn forward(&mut self, graph: &Graph, order: &[NodeId], x: &[f64]) {
        for &id in order {
            let v = |node: NodeId| self.values[node.index()];
            self.values[id.index()] = match graph.nodes[id.index()] {
                Node::Constant(value) => value,
                Node::Variable(k) => x[k as usize],
                Node::Unary(op, a) => op.value(v(a)),
                Node::Binary(op, a, b) => op.value(v(a), v(b)),
                Node::Sum { start, end } => {
                    graph.terms[start as usize..end as usize].iter().map(|t| v(*t)).sum()
                }
                Node::Select { condition, yes, no } => {
                    if v(condition) != 0.0 {
                        v(yes)
                    } else {
                        v(no)
                    }
                }
                Node::Pieces { argument, which } => graph.pieces[which as usize].value(v(argument)),
            };
        }
    }

    /// First and second partial derivatives of the nodes in `order`, after [`forward`](Self::forward).
    pub(super) fn differentiate(&mut self, graph: &Graph, order: &[NodeId]) {
        for &id in order {
            let v = |node: NodeId| self.values[node.index()];
            let value = v(id);
            self.partials[id.index()] = match graph.nodes[id.index()] {
                Node::Unary(op, a) => {
                    let (x, xx) = op.derivatives(v(a), value);
                    Partials { x, xx, ..Partials::default() }
                }
                Node::Binary(op, a, b) => op.partials(v(a), v(b), value),
                Node::Pieces { argument, which } => {
                    Partials { x: graph.pieces[which as usize].slope(v(argument)), ..Partials::default() }
                }
                _ => Partials::default(),
            };
        }
    }

    /// Forgets adjoints of the nodes in `order`.
    pub(super) fn clear_adjoints(&mut self, order: &[NodeId]) {
        order.iter().for_each(|id| self.adjoints[id.index()] = 0.0);
    }

    /// Adds `weight` to the adjoint of `root`.
    pub(super) fn seed(&mut self, root: NodeId, weight: f64) {
        self.adjoints[root.index()] += weight;
    }

    /// The reverse sweep over `order`; `collect` is called with each variable and its adjoint.
    pub(super) fn reverse(&mut self, graph: &Graph, order: &[NodeId], mut collect: impl FnMut(usize, f64)) {
        for &id in order.iter().rev() {
            let z = self.adjoints[id.index()];
            // A node that no result depends on, here, passes nothing on: 0 · ∞ is not to be met.
            if z == 0.0 {
                continue;
            }
            let p = self.partials[id.index()];
            match graph.nodes[id.index()] {
                Node::Constant(_) => {}
                Node::Variable(k) => collect(k as usize, z),
                Node::Unary(_, a) | Node::Pieces { argument: a, .. } => self.adjoints[a.index()] += z * p.x,
                Node::Binary(_, a, b) => {
                    self.adjoints[a.index()] += z * p.x;
                    self.adjoints[b.index()] += z * p.y;
                }
                Node::Sum { start, end } => {
                    graph.terms[start as usize..end as usize]
                        .iter()
                        .for_each(|t| self.adjoints[t.index()] += z);
                }
                Node::Select { condition, yes, no } => {
                    let taken = if self.values[condition.index()] != 0.0 { yes } else { no };
                    self.adjoints[taken.index()] += z;
                }
            }
        }
    }

    /// With values, partials and adjoints in place: the derivative of the reverse sweep along `direction`, over
    /// `order`. `collect` is called with each variable and its entry of the product.
    pub(super) fn second_order(
        &mut self,
        graph: &Graph,
        order: &[NodeId],
        direction: &[f64],
        mut collect: impl FnMut(usize, f64),
    ) {
        for &id in order {
            let t = |node: NodeId| self.tangents[node.index()];
            let p = &self.partials[id.index()];
            self.tangents[id.index()] = match graph.nodes[id.index()] {
                Node::Constant(_) => 0.0,
                Node::Variable(k) => direction[k as usize],
                Node::Unary(_, a) | Node::Pieces { argument: a, .. } => times(p.x, t(a)),
                Node::Binary(_, a, b) => times(p.x, t(a)) + times(p.y, t(b)),
                Node::Sum { start, end } => {
                    graph.terms[start as usize..end as usize].iter().map(|s| t(*s)).sum()
                }
                Node::Select { condition, yes, no } => {
                    t(if self.values[condition.index()] != 0.0 { yes } else { no })
                }
            };
            self.tangent_adjoints[id.index()] = 0.0;
        }
        for &id in order.iter().rev() {
            let (z, dz) = (self.adjoints[id.index()], self.tangent_adjoints[id.index()]);
            if z == 0.0 && dz == 0.0 {
                continue;
            }
            let p = self.partials[id.index()];
            let t = |node: NodeId| self.tangents[node.index()];
            match graph.nodes[id.index()] {
                Node::Constant(_) => {}
                Node::Variable(k) => collect(k as usize, dz),
                Node::Unary(_, a) | Node::Pieces { argument: a, .. } => {
                    let add = times(p.x, dz) + times(p.xx, z * t(a));
                    self.tangent_adjoints[a.index()] += add;
                }
                Node::Binary(_, a, b) => {
                    let (ta, tb) = (t(a), t(b));
                    let to_a = times(p.x, dz) + z * (times(p.xx, ta) + times(p.xy, tb));
                    let to_b = times(p.y, dz) + z * (times(p.xy, ta) + times(p.yy, tb));
                    self.tangent_adjoints[a.index()] += to_a;
                    self.tangent_adjoints[b.index()] += to_b;
                }
                Node::Sum { start, end } => {
                    for s in &graph.terms[start as usize..end as usize] {
                        self.tangent_adjoints[s.index()] += dz;
                    }
                }
                Node::Select { condition, yes, no } => {
                    let taken = if self.values[condition.index()] != 0.0 { yes } else { no };
                    self.tangent_adjoints[taken.index()] += dz;
                }
            }
        }
    }
}

/// p·t where t = 0 gives 0: a constant base has no derivative in its exponent's place.
fn times(p: f64, t: f64) -> f64 {
    if t == 0.0 { 0.0 } else { p * t }
}
