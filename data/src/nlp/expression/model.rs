//! Models written in Rust: numbers that remember how they were made.

use super::{
    Binary, ExpressionProblem, Function, Graph, GraphError, NodeId, ProblemError, ProblemParts, Unary,
};
use std::cell::RefCell;
use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A model in the making. Its methods take `&self`, so that expressions may be held while others are made.
#[derive(Debug, Default)]
pub struct Model {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    parts: ProblemParts,
    /// The first thing that went wrong; told by [`Model::problem`].
    error: Option<GraphError>,
}

/// An expression of a [`Model`]: a copyable handle.
#[derive(Debug, Clone, Copy)]
pub struct Expr<'m> {
    /// `None` for a plain number, which is of every model.
    model: Option<&'m Model>,
    node: NodeId,
    number: f64,
}

impl Model {
    /// An empty model.
    pub fn new(name: &str) -> Self {
        let model = Self::default();
        model.state.borrow_mut().parts.name = name.to_owned();
        model
    }

    /// One free variable for each entry of the starting point.
    pub fn variables(&self, start: &[f64]) -> Vec<Expr<'_>> {
        self.bounded_variables(start, f64::NEG_INFINITY, f64::INFINITY)
    }

    /// One variable in [`lower`, `upper`] for each entry of the starting point.
    pub fn bounded_variables(&self, start: &[f64], lower: f64, upper: f64) -> Vec<Expr<'_>> {
        start.iter().map(|s| self.variable(*s, lower, upper)).collect()
    }

    /// A variable in [`lower`, `upper`].
    pub fn variable(&self, start: f64, lower: f64, upper: f64) -> Expr<'_> {
        let mut state = self.state.borrow_mut();
        let index = state.parts.initial_point.len() as u32;
        state.parts.initial_point.push(start);
        state.parts.variable_lower.push(lower);
        state.parts.variable_upper.push(upper);
        drop(state);
        self.add(|graph| graph.variable(index))
    }

    /// A constant; plain numbers serve as well wherever an operator has an expression on the other side.
    pub fn constant(&self, value: f64) -> Expr<'_> {
        Expr { model: None, node: NodeId(0), number: value }
    }

    /// The objective, to be small.
    pub fn minimize(&self, objective: Expr<'_>) {
        self.set_objective(objective, false);
    }

    /// The objective, to be large.
    pub fn maximize(&self, objective: Expr<'_>) {
        self.set_objective(objective, true);
    }

    fn set_objective(&self, objective: Expr<'_>, is_maximised: bool) {
        let function = self.function(objective);
        let mut state = self.state.borrow_mut();
        state.parts.objective = function;
        state.parts.is_maximised = is_maximised;
    }

    /// c(x) = `value`.
    pub fn equality(&self, c: Expr<'_>, value: f64) {
        self.range(value, c, value);
    }

    /// `lower` ≤ c(x).
    pub fn at_least(&self, c: Expr<'_>, lower: f64) {
        self.range(lower, c, f64::INFINITY);
    }

    /// c(x) ≤ `upper`.
    pub fn at_most(&self, c: Expr<'_>, upper: f64) {
        self.range(f64::NEG_INFINITY, c, upper);
    }

    /// `lower` ≤ c(x) ≤ `upper`.
    pub fn range(&self, lower: f64, c: Expr<'_>, upper: f64) {
        let function = self.function(c);
        let mut state = self.state.borrow_mut();
        state.parts.constraints.push(function);
        state.parts.constraint_lower.push(lower);
        state.parts.constraint_upper.push(upper);
    }

    /// The objective at the known solution, for tests and tables.
    pub fn known_optimum(&self, value: f64) {
        self.state.borrow_mut().parts.known_optimum = Some(value);
    }

    /// The problem as it stands.
    ///
    /// # Errors
    /// [`ProblemError`] where bounds are empty, or an expression of another model was used.
    pub fn problem(&self) -> Result<ExpressionProblem, ProblemError> {
        let state = self.state.borrow();
        if let Some(error) = state.error {
            return Err(error.into());
        }
        let mut parts = state.parts.clone();
        drop_infinite(&mut parts.variable_lower, &mut parts.variable_upper, f64::INFINITY);
        drop_infinite(&mut parts.constraint_lower, &mut parts.constraint_upper, 0.0);
        ExpressionProblem::new(parts)
    }

    fn function(&self, expr: Expr<'_>) -> Function {
        let node = self.node_of(expr);
        Function { expression: Some(node), ..Function::default() }
    }

    /// The node of `expr` in this model.
    fn node_of(&self, expr: Expr<'_>) -> NodeId {
        match expr.model {
            Some(model) if std::ptr::eq(model, self) => expr.node,
            Some(_) => self.fail(GraphError::UnknownNode),
            None => self.add(|graph| graph.constant(expr.number)).node,
        }
    }

    fn add(&self, make: impl FnOnce(&mut Graph) -> Result<NodeId, GraphError>) -> Expr<'_> {
        let made = make(&mut self.state.borrow_mut().parts.graph);
        let node = made.unwrap_or_else(|error| self.fail(error));
        Expr { model: Some(self), node, number: f64::NAN }
    }

    fn fail(&self, error: GraphError) -> NodeId {
        self.state.borrow_mut().error.get_or_insert(error);
        NodeId(u32::MAX)
    }
}

/// Bounds that bound nothing are left out: x free, or c = 0.
fn drop_infinite(lower: &mut Vec<f64>, upper: &mut Vec<f64>, default: f64) {
    if lower.iter().all(|l| *l == -default) && upper.iter().all(|u| *u == default) {
        lower.clear();
        upper.clear();
    }
}

impl<'m> Expr<'m> {
    fn unary(self, op: Unary) -> Self {
        match self.model {
            Some(model) => model.add(|graph| graph.unary(op, self.node)),
            None => Self { number: op.value(self.number), ..self },
        }
    }

    fn binary(self, op: Binary, other: Self) -> Self {
        let Some(model) = self.model.or(other.model) else {
            return Self { number: op.value(self.number, other.number), ..self };
        };
        let (x, y) = (model.node_of(self), model.node_of(other));
        model.add(|graph| graph.binary(op, x, y))
    }

    /// xᵖ with a whole exponent.
    #[must_use]
    pub fn powi(self, p: i32) -> Self {
        self.unary(Unary::Power(f64::from(p)))
    }

    /// xᵖ.
    #[must_use]
    pub fn powf(self, p: f64) -> Self {
        self.unary(Unary::Power(p))
    }

    /// x to the power of another expression.
    #[must_use]
    pub fn pow(self, exponent: Self) -> Self {
        self.binary(Binary::Pow, exponent)
    }

    /// The angle of the point (`other`, self).
    #[must_use]
    pub fn atan2(self, other: Self) -> Self {
        self.binary(Binary::Atan2, other)
    }

    /// The smaller of two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        self.binary(Binary::Min, other)
    }

    /// The larger of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.binary(Binary::Max, other)
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident $op:ident),*) => {
        impl Expr<'_> {
            $($(#[$doc])* #[must_use] pub fn $name(self) -> Self { self.unary(Unary::$op) })*
        }
    };
}

functions!(
    /// |x|.
    abs Abs,
    /// √x.
    sqrt Sqrt,
    /// eˣ.
    exp Exp,
    /// Natural logarithm.
    ln Log,
    /// Logarithm to base 10.
    log10 Log10,
    /// Sine.
    sin Sin,
    /// Cosine.
    cos Cos,
    /// Tangent.
    tan Tan,
    /// Arc sine.
    asin Asin,
    /// Arc cosine.
    acos Acos,
    /// Arc tangent.
    atan Atan,
    /// Hyperbolic sine.
    sinh Sinh,
    /// Hyperbolic cosine.
    cosh Cosh,
    /// Hyperbolic tangent.
    tanh Tanh
);

impl Neg for Expr<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

impl From<f64> for Expr<'_> {
    fn from(number: f64) -> Self {
        Self { model: None, node: NodeId(0), number }
    }
}

impl Add for Expr<'_> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        [self, other].into_iter().sum()
    }
}

impl<'m> Sum for Expr<'m> {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        let terms: Vec<Self> = terms.collect();
        let Some(model) = terms.iter().find_map(|t| t.model) else {
            return terms.iter().map(|t| t.number).sum::<f64>().into();
        };
        let nodes: Vec<NodeId> = terms.iter().map(|t| model.node_of(*t)).collect();
        model.add(|graph| graph.sum(&nodes))
    }
}

macro_rules! operators {
    ($($op:ident $method:ident $by:expr),*) => {
        $(impl<'m> $op<f64> for Expr<'m> {
            type Output = Self;

            fn $method(self, other: f64) -> Self {
                $by(self, Expr::from(other))
            }
        }

        impl<'m> $op<Expr<'m>> for f64 {
            type Output = Expr<'m>;

            fn $method(self, other: Expr<'m>) -> Expr<'m> {
                $by(Expr::from(self), other)
            }
        })*
    };
}

operators!(Add add |a: Expr<'m>, b: Expr<'m>| a + b, Sub sub |a: Expr<'m>, b: Expr<'m>| a - b, Mul mul |a: Expr<'m>, b: Expr<'m>| a * b, Div div |a: Expr<'m>, b: Expr<'m>| a / b);

macro_rules! binary_operators {
    ($($op:ident $method:ident),*) => {
        $(impl $op for Expr<'_> {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$op, other)
            }
        })*
    };
}

binary_operators!(Sub sub, Mul mul, Div div);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::nlp::NonlinearProblem;

    #[test]
    fn a_model_is_the_function_it_was_written_as() {
        let m = Model::new("test");
        let x = m.variables(&[2.0, 3.0]);
        m.maximize(1.0 - x[0] * x[1] / 4.0 + m.constant(2.0).sqrt() * 2.0);
        m.equality((2.0 * x[0] - x[1]).exp(), 1.0);
        m.at_most(-x[0], 0.0);
        let p = m.problem().unwrap();
        assert!((p.objective(&[2.0, 3.0]).unwrap() + (1.0 - 1.5 + 2.0 * 2f64.sqrt())).abs() < 1e-15);
        let mut c = [0.0; 2];
        p.constraint_values(&[2.0, 3.0], &mut c).unwrap();
        assert_eq!(c, [1f64.exp(), -2.0]);
        assert_eq!(p.constraint_bounds(), (&[1.0, f64::NEG_INFINITY][..], &[1.0, 0.0][..]));
        assert_eq!(p.variable_bounds().0.len(), 0);
        assert!(p.is_maximised());
    }

    #[test]
    fn expressions_of_another_model_and_empty_bounds_are_refused() {
        let (m, other) = (Model::new("a"), Model::new("b"));
        let y = other.variables(&[1.0])[0];
        m.minimize(m.variables(&[1.0])[0] + y);
        assert_eq!(m.problem().unwrap_err(), ProblemError::Graph(GraphError::UnknownNode));
        let m = Model::new("c");
        m.bounded_variables(&[0.0], 1.0, -1.0);
        assert!(matches!(m.problem().unwrap_err(), ProblemError::Bounds { what: "variable", index: 0 }));
    }

    #[test]
    fn equalities_to_zero_need_no_bounds() {
        let m = Model::new("d");
        let x = m.variables(&[0.0]);
        m.equality(x[0], 0.0);
        assert!(m.problem().unwrap().constraint_bounds().0.is_empty());
    }
}
