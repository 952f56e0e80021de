//! A nonlinear program whose functions are expressions.

use super::colouring::Colouring;
use super::graph::{Graph, GraphError, NodeId};
use super::sets;
use super::tape::Scratch;
use crate::nlp::{EvaluationError, NonlinearProblem, SparsePattern};
use std::sync::{Mutex, PoisonError};

/// A function: an expression, plus a linear part, plus a constant.
#[derive(Debug, Clone, Default)]
pub struct Function {
    /// The nonlinear part, if there is one.
    pub expression: Option<NodeId>,
    /// Coefficients by variable; those of the same variable add up.
    pub linear: Vec<(u32, f64)>,
    /// Added to the value.
    pub constant: f64,
}

/// What an [`ExpressionProblem`] is made of.
#[derive(Debug, Clone, Default)]
pub struct ProblemParts {
    /// A name for tables.
    pub name: String,
    /// Holds all expressions.
    pub graph: Graph,
    /// Where to start; its length is the number of variables n.
    pub initial_point: Vec<f64>,
    /// x_L, length n, or empty.
    pub variable_lower: Vec<f64>,
    /// x_U, length n, or empty.
    pub variable_upper: Vec<f64>,
    /// f; default 0.
    pub objective: Function,
    /// Whether f is to be large: the problem is then min −f.
    pub is_maximised: bool,
    /// c, m functions.
    pub constraints: Vec<Function>,
    /// c_L, length m, or empty where all are equalities c = 0.
    pub constraint_lower: Vec<f64>,
    /// c_U likewise.
    pub constraint_upper: Vec<f64>,
    /// Multipliers to start from, length m.
    pub initial_multipliers: Option<Vec<f64>>,
    /// The objective at the known solution.
    pub known_optimum: Option<f64>,
}

/// Why parts make no problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemError {
    /// A vector does not fit the numbers of variables and constraints.
    #[error("{what} has length {found}: expected {expected}")]
    Length {
        /// Which vector.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
    /// A function mentions a variable that there is not.
    #[error("{function} uses variable {variable}: expected one below {variables}")]
    Variable {
        /// Which function.
        function: String,
        /// Which variable, from 0.
        variable: u32,
        /// n.
        variables: usize,
    },
    /// A bound is NaN, or a lower bound is above its upper bound.
    #[error("bounds of {what} {index} are empty or not numbers: expected lower ≤ upper")]
    Bounds {
        /// `variable` or `constraint`.
        what: &'static str,
        /// Which, from 0.
        index: usize,
    },
    /// Functions share so much that their sweeps would not fit in memory.
    #[error(
        "the functions share too many common expressions: expected fewer, or a model with them as variables"
    )]
    TooIntertwined,
    /// A node is of another graph, or there are too many.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// One function with its sweep.
#[derive(Debug)]
struct Row {
    root: Option<NodeId>,
    /// Nodes under the root, ascending.
    order: Vec<NodeId>,
    linear: Vec<(u32, f64)>,
    constant: f64,
}

/// A program of expressions: see [`ProblemParts`]. Its Jacobian takes one reverse sweep a row; its Hessian one pair of
/// sweeps a colour of a star colouring, and is left an operator where its pattern would have too many entries
/// (tens of millions). Nothing is allocated once as many points were evaluated at a time as threads do.
#[derive(Debug)]
pub struct ExpressionProblem {
    parts: ProblemParts,
    objective: Row,
    constraints: Vec<Row>,
    /// Nodes of all constraints, and of everything.
    constraint_order: Vec<NodeId>,
    order: Vec<NodeId>,
    jacobian: SparsePattern,
    /// The linear parts, in the order of the Jacobian's entries.
    jacobian_constant: Vec<f64>,
    hessian: Option<(SparsePattern, Colouring)>,
    scratch: Mutex<Vec<Scratch>>,
}

/// Nodes in the sweeps of all rows together.
const MAX_SWEEPS: usize = 1 << 27;

impl ExpressionProblem {
    /// Checks the parts and prepares the derivatives.
    ///
    /// # Errors
    /// [`ProblemError`] where they do not fit together.
    pub fn new(mut parts: ProblemParts) -> Result<Self, ProblemError> {
        check(&parts)?;
        let mut seen = vec![u32::MAX; parts.graph.len()];
        let mut stamp = 0;
        let mut total = 0usize;
        let objective = std::mem::take(&mut parts.objective);
        let functions = std::mem::take(&mut parts.constraints);
        let mut row = |function: Function| {
            let root = function.expression.filter(|r| parts.graph.as_constant(*r).is_none());
            let folded = function.expression.and_then(|r| parts.graph.as_constant(r)).unwrap_or(0.0);
            let order = root.map_or(Vec::new(), |r| sets::reachable(&parts.graph, &[r], &mut seen, stamp));
            stamp += 1;
            total += order.len();
            let row =
                Row { root, order, linear: summed(function.linear), constant: function.constant + folded };
            if total > MAX_SWEEPS { Err(ProblemError::TooIntertwined) } else { Ok(row) }
        };
        let objective = row(objective)?;
        let constraints = functions.into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let roots: Vec<NodeId> = constraints.iter().filter_map(|r| r.root).collect();
        let mut seen = vec![0; parts.graph.len()];
        let constraint_order = sets::reachable(&parts.graph, &roots, &mut seen, 1);
        let all: Vec<NodeId> = roots.iter().copied().chain(objective.root).collect();
        let order = sets::reachable(&parts.graph, &all, &mut seen, 2);
        let (jacobian, jacobian_constant) = jacobian(&parts.graph, &constraints);
        let hessian = sets::hessian_pattern(&parts.graph, &order, parts.initial_point.len()).map(|pattern| {
            let colouring = Colouring::new(&pattern);
            (pattern, colouring)
        });
        Ok(Self {
            parts,
            objective,
            constraints,
            constraint_order,
            order,
            jacobian,
            jacobian_constant,
            hessian,
            scratch: Mutex::new(Vec::new()),
        })
    }

    fn sign(&self) -> f64 {
        if self.parts.is_maximised { -1.0 } else { 1.0 }
    }

    /// Runs `work` with a workspace of the pool. A workspace that a panic elsewhere left behind is as good as any:
    /// every sweep overwrites what it reads.
    fn with_scratch<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        let pooled = self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch =
            pooled.unwrap_or_else(|| Scratch::new(self.parts.graph.len(), self.parts.initial_point.len()));
        let result = work(&mut scratch);
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        result
    }

    /// Values, partial derivatives and adjoints of σ f + λᵀ c.
    fn prepare_second_order(&self, s: &mut Scratch, x: &[f64], sigma: f64, lambda: &[f64]) {
        let graph = &self.parts.graph;
        s.forward(graph, &self.order, x);
        s.differentiate(graph, &self.order);
        s.clear_adjoints(&self.order);
        if let Some(root) = self.objective.root {
            s.seed(root, sigma * self.sign());
        }
        for (row, weight) in self.constraints.iter().zip(lambda) {
            if let Some(root) = row.root {
                s.seed(root, *weight);
            }
        }
        s.reverse(graph, &self.order, |_, _| {});
    }
}

impl Row {
    fn value(&self, s: &Scratch, x: &[f64]) -> f64 {
        let linear: f64 = self.linear.iter().map(|(k, a)| a * x[*k as usize]).sum();
        self.root.map_or(0.0, |r| s.values[r.0 as usize]) + linear + self.constant
    }
}

impl NonlinearProblem for ExpressionProblem {
    fn name(&self) -> &str {
        &self.parts.name
    }

    fn variables(&self) -> usize {
        self.parts.initial_point.len()
    }

    fn constraints(&self) -> usize {
        self.constraints.len()
    }

    fn initial_point(&self, x: &mut [f64]) {
        x.copy_from_slice(&self.parts.initial_point);
    }

    fn initial_multipliers(&self) -> Option<&[f64]> {
        self.parts.initial_multipliers.as_deref()
    }

    fn variable_bounds(&self) -> (&[f64], &[f64]) {
        (&self.parts.variable_lower, &self.parts.variable_upper)
    }

    fn constraint_bounds(&self) -> (&[f64], &[f64]) {
        (&self.parts.constraint_lower, &self.parts.constraint_upper)
    }

    fn objective(&self, x: &[f64]) -> Result<f64, EvaluationError> {
        Ok(self.with_scratch(|s| {
            s.forward(&self.parts.graph, &self.objective.order, x);
            self.sign() * self.objective.value(s, x)
        }))
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Result<(), EvaluationError> {
        gradient.fill(0.0);
        let (sign, row) = (self.sign(), &self.objective);
        row.linear.iter().for_each(|(k, a)| gradient[*k as usize] += sign * a);
        if let Some(root) = row.root {
            self.with_scratch(|s| {
                s.forward(&self.parts.graph, &row.order, x);
                s.differentiate(&self.parts.graph, &row.order);
                s.clear_adjoints(&row.order);
                s.seed(root, sign);
                s.reverse(&self.parts.graph, &row.order, |k, d| gradient[k] += d);
            });
        }
        Ok(())
    }

    fn constraint_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        self.with_scratch(|s| {
            s.forward(&self.parts.graph, &self.constraint_order, x);
            values.iter_mut().zip(&self.constraints).for_each(|(value, row)| *value = row.value(s, x));
        });
        Ok(())
    }

    fn jacobian_pattern(&self) -> &SparsePattern {
        &self.jacobian
    }

    fn jacobian_values(&self, x: &[f64], values: &mut [f64]) -> Result<(), EvaluationError> {
        values.copy_from_slice(&self.jacobian_constant);
        self.with_scratch(|s| {
            let graph = &self.parts.graph;
            s.forward(graph, &self.constraint_order, x);
            s.differentiate(graph, &self.constraint_order);
            let mut product = std::mem::take(&mut s.product);
            for (i, row) in self.constraints.iter().enumerate() {
                let Some(root) = row.root else { continue };
                let columns = self.jacobian.row(i);
                columns.iter().for_each(|k| product[*k as usize] = 0.0);
                s.clear_adjoints(&row.order);
                s.seed(root, 1.0);
                s.reverse(graph, &row.order, |k, d| product[k] += d);
                let own = &mut values[self.jacobian.row_starts[i]..self.jacobian.row_starts[i + 1]];
                own.iter_mut().zip(columns).for_each(|(value, k)| *value += product[*k as usize]);
            }
            s.product = product;
        });
        Ok(())
    }

    fn hessian_pattern(&self) -> Option<&SparsePattern> {
        self.hessian.as_ref().map(|(pattern, _)| pattern)
    }

    fn hessian_values(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        values: &mut [f64],
    ) -> Result<(), EvaluationError> {
        let Some((_, colouring)) = &self.hessian else { return Ok(()) };
        self.with_scratch(|s| {
            self.prepare_second_order(s, x, sigma, lambda);
            let mut product = std::mem::take(&mut s.product);
            let mut direction = std::mem::take(&mut s.direction);
            direction.fill(0.0);
            for (group, reads) in colouring.groups.iter().zip(&colouring.reads) {
                group.iter().for_each(|k| direction[*k as usize] = 1.0);
                reads.iter().for_each(|(_, row)| product[*row as usize] = 0.0);
                s.second_order(&self.parts.graph, &self.order, &direction, |k, d| product[k] += d);
                reads.iter().for_each(|(entry, row)| values[*entry as usize] = product[*row as usize]);
                group.iter().for_each(|k| direction[*k as usize] = 0.0);
            }
            (s.product, s.direction) = (product, direction);
        });
        Ok(())
    }

    fn hessian_product(
        &self,
        x: &[f64],
        sigma: f64,
        lambda: &[f64],
        v: &[f64],
        product: &mut [f64],
    ) -> Result<(), EvaluationError> {
        product.fill(0.0);
        self.with_scratch(|s| {
            self.prepare_second_order(s, x, sigma, lambda);
            s.second_order(&self.parts.graph, &self.order, v, |k, d| product[k] += d);
        });
        Ok(())
    }

    fn known_optimum(&self) -> Option<f64> {
        self.parts.known_optimum
    }

    fn is_maximised(&self) -> bool {
        self.parts.is_maximised
    }
}

/// Coefficients in the order of their variables, each variable once.
fn summed(mut linear: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    linear.sort_by_key(|(k, _)| *k);
    linear.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    linear
}

/// The pattern of the Jacobian, and its linear parts.
fn jacobian(graph: &Graph, rows: &[Row]) -> (SparsePattern, Vec<f64>) {
    let mut pattern = SparsePattern { row_starts: vec![0], columns: Vec::new() };
    let mut constant = Vec::new();
    for row in rows {
        let mut columns = sets::variables(graph, &row.order);
        columns.extend(row.linear.iter().map(|(k, _)| *k));
        columns.sort_unstable();
        columns.dedup();
        let mut linear = row.linear.iter().peekable();
        for &k in &columns {
            constant.push(linear.next_if(|(j, _)| *j == k).map_or(0.0, |(_, a)| *a));
        }
        pattern.columns.extend(columns);
        pattern.row_starts.push(pattern.columns.len());
    }
    (pattern, constant)
}

fn check(parts: &ProblemParts) -> Result<(), ProblemError> {
    let (n, m) = (parts.initial_point.len(), parts.constraints.len());
    let length = |what, found: usize, expected: usize, may_be_empty: bool| {
        let fits = found == expected || (may_be_empty && found == 0);
        if fits { Ok(()) } else { Err(ProblemError::Length { what, found, expected }) }
    };
    length("variable_lower", parts.variable_lower.len(), n, true)?;
    length("variable_upper", parts.variable_upper.len(), parts.variable_lower.len(), false)?;
    length("constraint_lower", parts.constraint_lower.len(), m, true)?;
    length("constraint_upper", parts.constraint_upper.len(), parts.constraint_lower.len(), false)?;
    length("initial_multipliers", parts.initial_multipliers.as_ref().map_or(m, Vec::len), m, false)?;
    let ordered = |what, lower: &[f64], upper: &[f64]| match lower
        .iter()
        .zip(upper)
        .position(|(l, u)| l.is_nan() || u.is_nan() || l > u)
    {
        Some(index) => Err(ProblemError::Bounds { what, index }),
        None => Ok(()),
    };
    ordered("variable", &parts.variable_lower, &parts.variable_upper)?;
    ordered("constraint", &parts.constraint_lower, &parts.constraint_upper)?;
    let out_of_range =
        |function: String, variable: u32| ProblemError::Variable { function, variable, variables: n };
    let largest = parts.graph.largest_variable();
    if let Some(k) = largest.filter(|k| *k as usize >= n) {
        return Err(out_of_range("an expression".to_owned(), k));
    }
    for (i, function) in std::iter::once(&parts.objective).chain(&parts.constraints).enumerate() {
        let name = || if i == 0 { "the objective".to_owned() } else { format!("constraint {}", i - 1) };
        if let Some((k, _)) = function.linear.iter().find(|(k, _)| *k as usize >= n) {
            return Err(out_of_range(name(), *k));
        }
        if function.expression.is_some_and(|r| r.index() >= parts.graph.len()) {
            return Err(GraphError::UnknownNode.into());
        }
    }
    Ok(())
}
