//! Functions written as expressions, with exact derivatives.
//!
//! A [`Graph`] holds nodes that expressions share. An [`ExpressionProblem`] evaluates an objective and constraints in it:
//! gradients and Jacobian rows by reverse sweeps, the sparse Hessian of the Lagrangian by sweeps of second order along
//! the colours of a star colouring of its exact pattern. A [`Model`] writes them with `+ - * /`:
//!
//! ```
//! use residua_data::nlp::{NonlinearProblem, expression::Model};
//! let m = Model::new("sphere");
//! let x = m.variables(&[1.0, 0.5, 0.5]);
//! m.minimize(x[0] + 2.0 * x[1]);
//! m.equality(x.iter().map(|x| x.powi(2)).sum::<residua_data::nlp::expression::Expr>(), 1.0);
//! let problem = m.problem()?;
//! assert_eq!((problem.variables(), problem.constraints()), (3, 1));
//! # Ok::<(), residua_data::nlp::expression::ProblemError>(())
//! ```

mod colouring;
mod graph;
mod model;
mod operator;
mod problem;
mod sets;
mod tape;

pub use graph::{Graph, GraphError, NodeId};
pub use model::{Expr, Model};
pub use operator::{Binary, Partials, Unary};
pub use problem::{ExpressionProblem, Function, ProblemError, ProblemParts};
