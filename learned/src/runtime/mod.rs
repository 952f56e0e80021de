//! Back end A: the model's ONNX graph, run by an ONNX runtime.
//!
//! Two runtimes: ONNX Runtime's shared library where ORT_DYLIB_PATH names it (`shared.rs`), else the embedded one
//! (`embedded.rs`, cargo feature `embedded-onnx`, on by default), which needs nothing but the registry of crates. All inputs are
//! bound once; an application writes the scaled residual into its buffer and reads the output.
//!
//! Two kinds of graph: the learned multigrid cycle, whose inputs are the tables of the geometry; and any *network* from
//! `residual` (and `mask`, if it has that input), both of shape [1, 1, ny, nx] or [1, 1, nz, ny, nx], to one direction of
//! the same shape, as in deep conjugate direction methods. The residual is scaled to norm 1; mask is 1 at unknowns; where a
//! network says `residua.multiple` in its metadata, images are padded with zeros to multiples of it.

#[cfg(feature = "embedded-onnx")]
mod embedded;
mod engine;
mod shared;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests;

use crate::multigrid::Fields;
use crate::onnx::cycle;
use crate::{GridMetadata, LearnedError, Model, Network};
use engine::{Engine, Input};
use residua_solvers::precond::multigrid::{GridProblem, scale_of};
use residua_solvers::{Preconditioner, SolveError, kernels};
use std::path::PathBuf;

/// Environment variable with the path of ONNX Runtime's library.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runtime {
    /// ONNX Runtime where [`LIBRARY_VARIABLE`] is set, else the embedded one.
    #[default]
    Auto,
    /// The runtime that is compiled in.
    Embedded,
    /// ONNX Runtime's shared library.
    Shared,
}

/// A direction from a model, z ← f(r).
pub struct LearnedDirection {
    engine: Box<dyn Engine>,
    /// Where each unknown lies in the tensors; none: in its own place.
    point_of_unknown: Option<Vec<u32>>,
    unknowns: usize,
    fields: Option<Box<Fields>>,
    is_network: bool,
}

fn library_path() -> Option<PathBuf> {
    std::env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Whether ONNX Runtime's library can be loaded.
///
/// # Errors
/// [`LearnedError::RuntimeMissing`] says what to set.
pub fn load_library() -> Result<(), LearnedError> {
    shared::environment().map(|_| ())
}

fn load(bytes: &[u8], runtime: Runtime) -> Result<Box<dyn Engine>, LearnedError> {
    let is_shared = match runtime {
        Runtime::Auto => library_path().is_some() || cfg!(not(feature = "embedded-onnx")),
        Runtime::Embedded => false,
        Runtime::Shared => true,
    };
    if is_shared {
        return Ok(Box::new(shared::Shared::new(bytes)?));
    }
    #[cfg(feature = "embedded-onnx")]
    return Ok(Box::new(embedded::Embedded::new(bytes)?));
    #[cfg(not(feature = "embedded-onnx"))]
    Err(LearnedError::RuntimeMissing { reason: "this build is without the feature embedded-onnx".to_owned() })
}

impl LearnedDirection {
    /// The cycle of `model` on the geometry of `problem`.
    ///
    /// # Errors
    /// [`LearnedError::RuntimeMissing`], [`LearnedError::Runtime`], and as
    /// [`LearnedMultigrid::new`](crate::LearnedMultigrid::new).
    pub fn new(model: &Model, problem: &GridProblem, runtime: Runtime) -> Result<Self, LearnedError> {
        let mut fields = Fields::new(problem, &model.coefficients, model.depth)?;
        let mut engine = load(&model.to_bytes(), runtime)?;
        for (l, level) in std::mem::take(&mut fields.levels).into_iter().enumerate() {
            let [w_index, w, diagonal, inverse, p_index, p, r_index, r] = cycle::level_inputs(l);
            let n = vec![level.diagonal.len()];
            for ([index, value], table) in
                [([w_index, w], level.w), ([p_index, p], level.p), ([r_index, r], level.r)]
            {
                let dims = vec![table.rows, table.columns];
                engine.bind(&index, Input::Index(dims.clone(), table.index))?;
                engine.bind(&value, Input::Float(dims, table.value))?;
            }
            engine.bind(&diagonal, Input::Float(n.clone(), level.diagonal))?;
            engine.bind(&inverse, Input::Float(n, level.inverse))?;
        }
        let m = fields.coarsest;
        let inverse = std::mem::take(&mut fields.coarsest_inverse);
        engine.bind(cycle::COARSEST, Input::Float(vec![m, m], inverse))?;
        let unknowns = problem.unknowns();
        engine.prepare(&[unknowns], "z")?;
        let fields = Some(Box::new(fields));
        Ok(Self { engine, point_of_unknown: None, unknowns, fields, is_network: false })
    }

    /// A network on the points of `grid`.
    ///
    /// # Errors
    /// [`LearnedError::Model`] for other inputs or outputs than a direction's, [`LearnedError::Geometry`] for another
    /// dimension, [`LearnedError::RuntimeMissing`], [`LearnedError::Runtime`] if it does not run on this grid.
    pub fn network(network: &Network, grid: &GridMetadata, runtime: Runtime) -> Result<Self, LearnedError> {
        if grid.dims.len() != network.dim {
            let expected = format!("a grid of {} dimensions", network.dim);
            return Err(LearnedError::geometry(format!("a grid of {:?} points", grid.dims), expected));
        }
        let mut engine = load(network.bytes(), runtime)?;
        let (inputs, outputs) = engine.names();
        let known = |name: &String| name == "residual" || name == "mask";
        let has = |wanted: &str| inputs.iter().any(|name| name == wanted);
        let output = match &outputs[..] {
            [output] if inputs.iter().all(known) && has("residual") => output.clone(),
            _ => {
                return Err(LearnedError::model(
                    format!("inputs {inputs:?} and outputs {outputs:?}"),
                    "inputs residual and, if wanted, mask; one output",
                ));
            }
        };
        let padded: Vec<usize> = grid.dims.iter().map(|n| n.next_multiple_of(network.multiple)).collect();
        let dims: Vec<usize> = [1, 1].into_iter().chain(padded.iter().rev().copied()).collect();
        let points: usize = dims.iter().product();
        let point_of_unknown = points_of_unknowns(grid, &padded);
        if has("mask") {
            let mut mask = vec![0.0; points];
            match &point_of_unknown {
                None => mask.fill(1.0),
                Some(of) => of.iter().for_each(|&at| mask[at as usize] = 1.0),
            }
            engine.bind("mask", Input::Float(dims.clone(), mask))?;
        }
        engine.prepare(&dims, &output)?;
        let unknowns = point_of_unknown.as_ref().map_or(points, Vec::len);
        let mut direction = Self { engine, point_of_unknown, unknowns, fields: None, is_network: true };
        // A network for other shapes is refused here, not in the middle of a solve.
        let (r, mut z) = (vec![1.0; unknowns], vec![0.0; unknowns]);
        direction.run(&r, 1.0, &mut z)?;
        Ok(direction)
    }

    /// z ← f(scale r) / scale.
    fn run(&mut self, r: &[f64], scale: f64, z: &mut [f64]) -> Result<(), LearnedError> {
        let Self { engine, point_of_unknown, .. } = self;
        let input = engine.residual();
        let expected = input.len();
        let to = |r: f64| (scale * r) as f32;
        match &point_of_unknown {
            None => input.iter_mut().zip(r).for_each(|(input, &r)| *input = to(r)),
            Some(of) => of.iter().zip(r).for_each(|(&at, &r)| input[at as usize] = to(r)),
        }
        engine.run(&mut |values| {
            if values.len() != expected {
                let found = format!("{} outputs", values.len());
                return Err(LearnedError::model(found, format!("{expected}, one a point")));
            }
            let back = |v: f32| f64::from(v) / scale;
            match &point_of_unknown {
                None => z.iter_mut().zip(values).for_each(|(z, &v)| *z = back(v)),
                Some(of) => z.iter_mut().zip(of).for_each(|(z, &at)| *z = back(values[at as usize])),
            }
            Ok(())
        })
    }
}

/// Where unknowns lie in an image of `padded` points a side; none where it is each in its own place.
fn points_of_unknowns(grid: &GridMetadata, padded: &[usize]) -> Option<Vec<u32>> {
    if grid.unknown_of_point.is_none() && grid.dims == padded {
        return None;
    }
    let points: usize = grid.dims.iter().product();
    let is_unknown = |at: &usize| {
        grid.unknown_of_point.as_ref().is_none_or(|u| u.get(*at).is_some_and(|&u| u != u32::MAX))
    };
    let place = |at: usize| {
        let (mut rest, mut stride, mut to) = (at, 1, 0);
        for (&n, &p) in grid.dims.iter().zip(padded) {
            to += rest % n * stride;
            (rest, stride) = (rest / n, stride * p);
        }
        to as u32
    };
    Some((0..points).filter(is_unknown).map(place).collect())
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
