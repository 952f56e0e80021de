//! ONNX Runtime's shared library, through `ort`. The only file that knows it.
//!
//! The library is loaded when it is first needed, from ORT_DYLIB_PATH. Threads that wait do not spin, so that the
//! solver's own threads are not starved between applications.

use super::LIBRARY_VARIABLE;
use super::engine::{Engine, Input};
use crate::LearnedError;
use ort::environment::Environment;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;
use std::sync::{Mutex, PoisonError};

fn failed(error: impl std::fmt::Display) -> LearnedError {
    LearnedError::Runtime { reason: error.to_string() }
}

/// The runtime allows one environment a process.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The runtime's environment, made at the first call.
pub(super) fn environment() -> Result<Environment, LearnedError> {
    let mut made = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*made {
        return Ok(environment.clone());
    }
    let missing = |reason: String| LearnedError::RuntimeMissing { reason };
    let path = super::library_path().ok_or_else(|| missing(format!("{LIBRARY_VARIABLE} is not set")))?;
    let builder = ort::init_from(&path).map_err(|e| missing(format!("{}: {e}", path.display())))?;
    Ok(made.insert(builder.build().map_err(failed)?).clone())
}

/// A session with its buffers.
pub(super) struct Shared {
    session: Session,
    binding: IoBinding,
    residual: Tensor<f32>,
    output: String,
}

fn float(dims: &[usize], values: Vec<f32>) -> Result<Tensor<f32>, LearnedError> {
    Tensor::from_array((dims.to_vec(), values)).map_err(failed)
}

impl Shared {
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LearnedError> {
        let mut builder = Session::builder(&environment()?)
            .map_err(failed)?
            .with_intra_threads(rayon::current_num_threads())
            .map_err(failed)?
            .with_inter_threads(1)
            .map_err(failed)?
            .with_intra_op_spinning(false)
            .map_err(failed)?;
        let session = builder.commit_from_memory(bytes).map_err(failed)?;
        let binding = session.create_binding().map_err(failed)?;
        Ok(Self { session, binding, residual: float(&[1], vec![0.0])?, output: String::new() })
    }
}

impl Engine for Shared {
    fn names(&self) -> (Vec<String>, Vec<String>) {
        (
            self.session.inputs().iter().map(|i| i.name().to_owned()).collect(),
            self.session.outputs().iter().map(|o| o.name().to_owned()).collect(),
        )
    }

    fn bind(&mut self, name: &str, input: Input) -> Result<(), LearnedError> {
        match input {
            Input::Float(dims, values) => self.binding.bind_input(name, &float(&dims, values)?),
            Input::Index(dims, values) => {
                let tensor = Tensor::from_array((dims, values)).map_err(failed)?;
                self.binding.bind_input(name, &tensor)
            }
        }
        .map_err(failed)
    }

    fn prepare(&mut self, dims: &[usize], output: &str) -> Result<(), LearnedError> {
        let zeros = || float(dims, vec![0.0; dims.iter().product()]);
        self.residual = zeros()?;
        self.binding.bind_output(output, zeros()?).map_err(failed)?;
        output.clone_into(&mut self.output);
        Ok(())
    }

    fn residual(&mut self) -> &mut [f32] {
        self.residual.extract_tensor_mut().1
    }

    fn run(&mut self, read: &mut dyn FnMut(&[f32]) -> Result<(), LearnedError>) -> Result<(), LearnedError> {
        self.binding.bind_input("residual", &self.residual).map_err(failed)?;
        let outputs = self.session.run_binding(&self.binding).map_err(failed)?;
        let output = outputs
            .get(&self.output)
            .ok_or_else(|| LearnedError::model("no output", format!("an output {}", self.output)))?;
        read(output.try_extract_tensor::<f32>().map_err(failed)?.1)
    }
}
