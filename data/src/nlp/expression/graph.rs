//! The nodes of expressions, shared between them.
//!
//! A node's arguments are older than the node: the order of the nodes is an order of evaluation, and no graph has a
//! cycle. Nodes whose arguments are all constant are folded as they are added.

use super::{Binary, Unary};

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node; arguments of sums, and breakpoints, are ranges of arrays beside the nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Constant(f64),
    Variable(u32),
    Unary(Unary, NodeId),
    Binary(Binary, NodeId, NodeId),
    /// The sum of `terms[start..end]`.
    Sum {
        start: u32,
        end: u32,
    },
    /// `yes` where `condition` is not 0, else `no`.
    Select {
        condition: NodeId,
        yes: NodeId,
        no: NodeId,
    },
    /// Piecewise linear in `argument`; the pieces are `pieces[which]`.
    Pieces {
        argument: NodeId,
        which: u32,
    },
}

/// A continuous piecewise linear function that is 0 at 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pieces {
    /// Ascending.
    pub(super) breakpoints: Vec<f64>,
    /// One more than there are breakpoints.
    pub(super) slopes: Vec<f64>,
}

impl Pieces {
    pub(super) fn slope(&self, x: f64) -> f64 {
        let k = self.breakpoints.partition_point(|b| *b < x);
        self.slopes.get(k).copied().unwrap_or(f64::NAN)
    }

    /// The integral of the slopes from 0 to `x`.
    pub(super) fn value(&self, x: f64) -> f64 {
        let (low, high, sign) = if x >= 0.0 { (0.0, x, 1.0) } else { (x, 0.0, -1.0) };
        let mut sum = 0.0;
        for (k, slope) in self.slopes.iter().enumerate() {
            let from = if k == 0 { f64::NEG_INFINITY } else { self.breakpoints[k - 1] };
            let to = self.breakpoints.get(k).copied().unwrap_or(f64::INFINITY);
            let length = to.min(high) - from.max(low);
            if length > 0.0 {
                sum += slope * length;
            }
        }
        if x.is_nan() { f64::NAN } else { sign * sum }
    }
}

/// Why a node cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Numbers of nodes have 32 bits.
    #[error("the expressions have more than 4294967295 nodes: expected a smaller model")]
    TooLarge,
    /// An argument is of another graph.
    #[error("an argument of an expression is not of this graph: expected a node that was made before")]
    UnknownNode,
    /// Breakpoints and slopes do not fit together.
    #[error(
        "pieces of a linear function are wrong: expected ascending breakpoints and one slope more than those"
    )]
    Pieces,
}

/// Expressions over variables x₀, x₁, ..., sharing their common parts.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) terms: Vec<NodeId>,
    pub(super) pieces: Vec<Pieces>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The value of a node that is a constant.
    pub fn as_constant(&self, node: NodeId) -> Option<f64> {
        match self.nodes.get(node.index()) {
            Some(Node::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    /// A constant.
    ///
    /// # Errors
    /// [`GraphError::TooLarge`].
    pub fn constant(&mut self, value: f64) -> Result<NodeId, GraphError> {
        self.push(Node::Constant(value))
    }

    /// Variable `index`.
    ///
    /// # Errors
    /// [`GraphError::TooLarge`].
    pub fn variable(&mut self, index: u32) -> Result<NodeId, GraphError> {
        self.push(Node::Variable(index))
    }

    /// φ(x).
    ///
    /// # Errors
    /// [`GraphError`].
    pub fn unary(&mut self, op: Unary, x: NodeId) -> Result<NodeId, GraphError> {
        self.check(&[x])?;
        match self.as_constant(x) {
            Some(value) => self.constant(op.value(value)),
            None if op == Unary::Power(1.0) => Ok(x),
            None => self.push(Node::Unary(op, x)),
        }
    }

    /// φ(x, y); a power with a constant exponent becomes a function of its base alone, which needs no logarithm.
    ///
    /// # Errors
    /// [`GraphError`].
    pub fn binary(&mut self, op: Binary, x: NodeId, y: NodeId) -> Result<NodeId, GraphError> {
        self.check(&[x, y])?;
        match (op, self.as_constant(x), self.as_constant(y)) {
            (_, Some(a), Some(b)) => self.constant(op.value(a, b)),
            (Binary::Pow, None, Some(exponent)) => self.unary(Unary::Power(exponent), x),
            _ => self.push(Node::Binary(op, x, y)),
        }
    }

    /// The sum of `terms`; 0 if there are none.
    ///
    /// # Errors
    /// [`GraphError`].
    pub fn sum(&mut self, terms: &[NodeId]) -> Result<NodeId, GraphError> {
        self.check(terms)?;
        match terms {
            [] => self.constant(0.0),
            [one] => Ok(*one),
            _ if terms.iter().all(|t| self.as_constant(*t).is_some()) => {
                let sum = terms.iter().filter_map(|t| self.as_constant(*t)).sum();
                self.constant(sum)
            }
            _ => {
                let start = u32::try_from(self.terms.len()).map_err(|_| GraphError::TooLarge)?;
                let end = u32::try_from(self.terms.len() + terms.len()).map_err(|_| GraphError::TooLarge)?;
                self.terms.extend_from_slice(terms);
                self.push(Node::Sum { start, end })
            }
        }
    }

    /// `yes` where `condition` is not 0, else `no`.
    ///
    /// # Errors
    /// [`GraphError`].
    pub fn select(&mut self, condition: NodeId, yes: NodeId, no: NodeId) -> Result<NodeId, GraphError> {
        self.check(&[condition, yes, no])?;
        match self.as_constant(condition) {
            Some(value) => Ok(if value == 0.0 { no } else { yes }),
            None => self.push(Node::Select { condition, yes, no }),
        }
    }

    /// The continuous function of `x` that is 0 at 0 and has `slopes[k]` between breakpoints k − 1 and k.
    ///
    /// # Errors
    /// [`GraphError`].
    pub fn piecewise_linear(
        &mut self,
        breakpoints: Vec<f64>,
        slopes: Vec<f64>,
        x: NodeId,
    ) -> Result<NodeId, GraphError> {
        self.check(&[x])?;
        if slopes.len() != breakpoints.len() + 1 || !breakpoints.is_sorted() {
            return Err(GraphError::Pieces);
        }
        let pieces = Pieces { breakpoints, slopes };
        if let Some(value) = self.as_constant(x) {
            return self.constant(pieces.value(value));
        }
        let which = u32::try_from(self.pieces.len()).map_err(|_| GraphError::TooLarge)?;
        self.pieces.push(pieces);
        self.push(Node::Pieces { argument: x, which })
    }

    fn check(&self, arguments: &[NodeId]) -> Result<(), GraphError> {
        if arguments.iter().all(|a| a.index() < self.nodes.len()) {
            Ok(())
        } else {
            Err(GraphError::UnknownNode)
        }
    }

    fn push(&mut self, node: Node) -> Result<NodeId, GraphError> {
        let id =
            u32::try_from(self.nodes.len()).ok().filter(|id| *id < u32::MAX).ok_or(GraphError::TooLarge)?;
        self.nodes.push(node);
        Ok(NodeId(id))
    }

    /// The largest index of a variable.
    pub(super) fn largest_variable(&self) -> Option<u32> {
        let index = |node: &Node| if let Node::Variable(k) = node { Some(*k) } else { None };
        self.nodes.iter().filter_map(index).max()
    }

    /// Calls `visit` for every argument of `node` that its value depends on with a derivative.
    pub(super) fn for_each_argument(&self, node: NodeId, mut visit: impl FnMut(NodeId)) {
        match self.nodes[node.index()] {
            Node::Constant(_) | Node::Variable(_) => {}
            Node::Unary(_, x) | Node::Pieces { argument: x, .. } => visit(x),
            Node::Binary(_, x, y) => {
                visit(x);
                visit(y);
            }
            Node::Sum { start, end } => {
                self.terms[start as usize..end as usize].iter().for_each(|t| visit(*t))
            }
            Node::Select { condition, yes, no } => {
                visit(condition);
                visit(yes);
                visit(no);
            }
        }
    }
}
