//! Back end A: the model's ONNX graph, run by ONNX Runtime. The only file that knows the runtime.
//!
//! The library is loaded when it is first needed, from ORT_DYLIB_PATH or by its name. Threads that wait do not spin, so
//! that the solver's own threads are not starved between applications. All inputs are bound once; an application
//! writes the scaled residual into its tensor and reads the output's.
//!
//! Two kinds of graph: the learned multigrid cycle, whose inputs are the tables of the geometry; and any *network* from
//! `residual` (and `mask`, if it has that input), both of shape [1, 1, ny, nx] or [1, 1, nz, ny, nx], to one direction of
//! the same shape, as in deep conjugate direction methods. The residual is scaled to norm 1; mask is 1 at unknowns.

use crate::multigrid::{Fields, Table};
use crate::onnx::cycle;
use crate::{GridMetadata, LearnedError, Model};
use ort::environment::Environment;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;
use residua_solvers::precond::multigrid::{GridProblem, scale_of};
use residua_solvers::{Preconditioner, SolveError, kernels};
use std::sync::{Mutex, PoisonError};

/// Environment variable with the path of ONNX Runtime's library.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// A direction from ONNX Runtime, z ← f(r).
pub struct LearnedDirection {
    session: Session,
    binding: IoBinding,
    residual: Tensor<f32>,
    output: String,
    /// Where each unknown lies in the tensors; none: in its own place.
    point_of_unknown: Option<Vec<u32>>,
    unknowns: usize,
    fields: Option<Box<Fields>>,
    /// Copy of r, to project.
    is_network: bool,
}

fn failed(error: impl std::fmt::Display) -> LearnedError {
    LearnedError::Runtime { reason: error.to_string() }
}

/// Whether the runtime's library can be loaded.
///
/// # Errors
/// [`LearnedError::RuntimeMissing`] says what to set.
pub fn load_library() -> Result<(), LearnedError> {
    environment().map(|_| ())
}

/// The runtime allows one environment a process.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The runtime's environment, made at the first call.
fn environment() -> Result<Environment, LearnedError> {
    let mut made = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*made {
        return Ok(environment.clone());
    }
    let missing = |reason: String| LearnedError::RuntimeMissing { reason };
    let path = std::env::var_os(LIBRARY_VARIABLE)
        .filter(|path| !path.is_empty())
        .ok_or_else(|| missing(format!("{LIBRARY_VARIABLE} is not set")))?;
    let builder = ort::init_from(&path).map_err(|e| missing(format!("{}: {e}", path.display())))?;
    Ok(made.insert(builder.build().map_err(failed)?).clone())
}

fn session(bytes: &[u8]) -> Result<Session, LearnedError> {
    let mut builder = Session::builder(&environment()?)
        .map_err(failed)?
        .with_intra_threads(rayon::current_num_threads())
        .map_err(failed)?
        .with_inter_threads(1)
        .map_err(failed)?
        .with_intra_op_spinning(false)
        .map_err(failed)?;
    builder.commit_from_memory(bytes).map_err(failed)
}

fn float(dims: &[usize], values: Vec<f32>) -> Result<Tensor<f32>, LearnedError> {
    Tensor::from_array((dims.to_vec(), values)).map_err(failed)
}

fn bind_table(binding: &mut IoBinding, [index, value]: [&str; 2], table: Table) -> Result<(), LearnedError> {
    let dims = vec![table.rows, table.columns];
    let indices = Tensor::from_array((dims.clone(), table.index)).map_err(failed)?;
    binding.bind_input(index, &indices).map_err(failed)?;
    binding.bind_input(value, &float(&dims, table.value)?).map_err(failed)
}

impl LearnedDirection {
    /// The cycle of `model` on the geometry of `problem`.
    ///
    /// # Errors
    /// [`LearnedError::RuntimeMissing`], [`LearnedError::Runtime`], and as
    /// [`LearnedMultigrid::new`](crate::LearnedMultigrid::new).
    pub fn new(model: &Model, problem: &GridProblem) -> Result<Self, LearnedError> {
        let mut fields = Fields::new(problem, &model.coefficients, model.depth)?;
        let session = session(&model.to_bytes())?;
        let mut binding = session.create_binding().map_err(failed)?;
        for (l, level) in std::mem::take(&mut fields.levels).into_iter().enumerate() {
            let [w_index, w, diagonal, inverse, p_index, p, r_index, r] = cycle::level_inputs(l);
            let n = [level.diagonal.len()];
            bind_table(&mut binding, [&w_index, &w], level.w)?;
            bind_table(&mut binding, [&p_index, &p], level.p)?;
            bind_table(&mut binding, [&r_index, &r], level.r)?;
            binding.bind_input(diagonal, &float(&n, level.diagonal)?).map_err(failed)?;
            binding.bind_input(inverse, &float(&n, level.inverse)?).map_err(failed)?;
        }
        let m = fields.coarsest;
        let inverse = float(&[m, m], std::mem::take(&mut fields.coarsest_inverse))?;
        binding.bind_input(cycle::COARSEST, &inverse).map_err(failed)?;
        let unknowns = problem.unknowns();
        let residual = float(&[unknowns], vec![0.0; unknowns])?;
        binding.bind_output("z", float(&[unknowns], vec![0.0; unknowns])?).map_err(failed)?;
        Ok(Self {
            session,
            binding,
            residual,
            output: "z".to_owned(),
            point_of_unknown: None,
            unknowns,
            fields: Some(Box::new(fields)),
            is_network: false,
        })
    }

    /// A network, from the bytes of its file, on the points of `grid`.
    ///
    /// # Errors
    /// [`LearnedError::Model`] for other inputs or outputs than a direction's, [`LearnedError::RuntimeMissing`],
    /// [`LearnedError::Runtime`] if it does not run on this grid.
    pub fn network(bytes: &[u8], grid: &GridMetadata) -> Result<Self, LearnedError> {
        let session = session(bytes)?;
        let inputs: Vec<String> = session.inputs().iter().map(|i| i.name().to_owned()).collect();
        let outputs: Vec<String> = session.outputs().iter().map(|o| o.name().to_owned()).collect();
        let known = |name: &String| name == "residual" || name == "mask";
        if !inputs.iter().all(known) || !inputs.iter().any(|name| name == "residual") || outputs.len() != 1 {
            return Err(LearnedError::model(
                format!("inputs {inputs:?} and outputs {outputs:?}"),
                "inputs residual and, if wanted, mask; one output",
            ));
        }
        let dims: Vec<usize> = [1, 1].into_iter().chain(grid.dims.iter().rev().copied()).collect();
        let points: usize = dims.iter().product();
        let point_of_unknown: Option<Vec<u32>> = grid.unknown_of_point.as_ref().map(|unknowns| {
            let is_unknown = |(_, u): &(usize, &u32)| **u != u32::MAX;
            unknowns.iter().enumerate().filter(is_unknown).map(|(at, _)| at as u32).collect()
        });
        let mut binding = session.create_binding().map_err(failed)?;
        if inputs.iter().any(|name| name == "mask") {
            let mut mask = vec![0.0; points];
            match &point_of_unknown {
                None => mask.fill(1.0),
                Some(of) => of.iter().for_each(|&at| mask[at as usize] = 1.0),
            }
            binding.bind_input("mask", &float(&dims, mask)?).map_err(failed)?;
        }
        let residual = float(&dims, vec![0.0; points])?;
        let output = outputs.into_iter().next().unwrap_or_default();
        binding.bind_output(output.as_str(), float(&dims, vec![0.0; points])?).map_err(failed)?;
        let unknowns = point_of_unknown.as_ref().map_or(points, Vec::len);
        let mut direction = Self {
            session,
            binding,
            residual,
            output,
            point_of_unknown,
            unknowns,
            fields: None,
            is_network: true,
        };
        // A network for other shapes is refused here, not in the middle of a solve.
        let (r, mut z) = (vec![1.0; unknowns], vec![0.0; unknowns]);
        direction.run(&r, 1.0, &mut z)?;
        Ok(direction)
    }

    /// z ← f(scale r) / scale.
    fn run(&mut self, r: &[f64], scale: f64, z: &mut [f64]) -> Result<(), LearnedError> {
        let (_, input) = self.residual.extract_tensor_mut();
        let to = |r: f64| (scale * r) as f32;
        match &self.point_of_unknown {
            None => input.iter_mut().zip(r).for_each(|(input, &r)| *input = to(r)),
            Some(of) => of.iter().zip(r).for_each(|(&at, &r)| input[at as usize] = to(r)),
        }
        self.binding.bind_input("residual", &self.residual).map_err(failed)?;
        let outputs = self.session.run_binding(&self.binding).map_err(failed)?;
        let output = outputs
            .get(&self.output)
            .ok_or_else(|| LearnedError::model("no output", format!("an output {}", self.output)))?;
        let (_, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
        if values.len() < self.point_of_unknown.as_ref().map_or(self.unknowns, |_| self.unknowns) {
            return Err(LearnedError::model(format!("{} outputs", values.len()), "one a point"));
        }
        match &self.point_of_unknown {
            None => z.iter_mut().zip(values).for_each(|(z, &v)| *z = f64::from(v) / scale),
            Some(of) => {
                for (z, &at) in z.iter_mut().zip(of) {
                    *z = f64::from(values.get(at as usize).copied().unwrap_or(0.0)) / scale;
                }
            }
        }
        Ok(())
    }
}

impl Preconditioner<f64> for LearnedDirection {
    fn name(&self) -> &'static str {
        "learned"
    }

    fn apply(&mut self, r: &[f64], z: &mut [f64]) -> Result<(), SolveError> {
        residua_solvers::error::check_len("r", self.unknowns, r.len())?;
        residua_solvers::error::check_len("z", self.unknowns, z.len())?;
        let Some(power) = scale_of(r)? else {
            z.fill(0.0);
            return Ok(());
        };
        if self.is_network {
            return Ok(self.run(r, 1.0 / kernels::norm2(r), z)?);
        }
        let sealed = self.fields.as_mut().and_then(|fields| fields.sealed.take());
        let Some(mut sealed) = sealed else { return Ok(self.run(r, power, z)?) };
        let done = sealed.around(r, z, |r, z| self.run(r, power, z));
        if let Some(fields) = &mut self.fields {
            fields.sealed = Some(sealed);
        }
        Ok(done?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests {
    use super::*;
    use crate::LearnedMultigrid;
    use residua_data::poisson::{PoissonKind, PoissonProblem, uniform_rhs};

    /// The runtime's library, or a word on why nothing is tested.
    fn has_library() -> bool {
        let loaded = load_library();
        if let Err(error) = &loaded {
            eprintln!("skipped: {error}");
        }
        loaded.is_ok()
    }

    #[test]
    fn both_back_ends_agree() {
        if !has_library() {
            return;
        }
        for (kind, dim, n) in [
            (PoissonKind::Obstacles, 2, 61),
            (PoissonKind::Walls, 2, 64),
            (PoissonKind::Maze, 3, 16),
            (PoissonKind::Constant, 3, 17),
            (PoissonKind::Neumann, 2, 24),
            (PoissonKind::Constant, 2, 9),
        ] {
            let (grid, medium) = PoissonProblem::new(kind, dim, n).with_seed(3).medium().unwrap();
            let problem = GridProblem::new(grid, &medium).unwrap();
            let model = Model::shipped(dim).unwrap();
            let mut a = LearnedDirection::new(&model, &problem).unwrap();
            let mut b = LearnedMultigrid::new(&problem, &model.coefficients).unwrap();
            for seed in 0..2 {
                let r: Vec<f64> = uniform_rhs(problem.unknowns(), seed).iter().map(|r| 1e-30 * r).collect();
                let (mut za, mut zb) = (vec![0.0; r.len()], vec![0.0; r.len()]);
                a.apply(&r, &mut za).unwrap();
                b.apply(&r, &mut zb).unwrap();
                let defect: f64 = za.iter().zip(&zb).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(
                    defect <= 1e-5 * kernels::norm2(&zb),
                    "{kind} {dim}D: {}",
                    defect / kernels::norm2(&zb)
                );
            }
            assert!(a.apply(&[0.0; 2], &mut [0.0; 2]).is_err());
        }
    }

    #[test]
    fn a_cycle_is_no_network() {
        if !has_library() {
            return;
        }
        let bytes = Model::shipped(2).unwrap().to_bytes();
        let grid = GridMetadata { dims: vec![8, 8], unknown_of_point: None };
        assert!(matches!(LearnedDirection::network(&bytes, &grid), Err(LearnedError::Model { .. })));
        assert!(matches!(LearnedDirection::network(b"no model", &grid), Err(LearnedError::Runtime { .. })));
    }
}
