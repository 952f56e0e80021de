//! The embedded runtime, `rten`: all in Rust, so that models run wherever this toolkit builds. The only file that knows it.
//!
//! Its indices are 32-bit integers. What it does with a model that makes no sense is an error or a panic; both become
//! errors here.

use super::engine::{Engine, Input};
use crate::LearnedError;
use rten::{Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A model with its inputs.
pub(super) struct Embedded {
    model: Model,
    bound: Vec<(NodeId, Value)>,
    residual: Vec<f32>,
    dims: Vec<usize>,
    /// Of `residual`, and of the output.
    ids: Option<(NodeId, NodeId)>,
    options: RunOptions,
}

fn failed(error: impl std::fmt::Display) -> LearnedError {
    LearnedError::Runtime { reason: error.to_string() }
}

fn guarded<T>(f: impl FnOnce() -> Result<T, LearnedError>) -> Result<T, LearnedError> {
    catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|_| Err(failed("the embedded runtime gave up on this model")))
}

impl Embedded {
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LearnedError> {
        let model = guarded(|| Model::load(bytes.to_vec()).map_err(failed))?;
        let threads = Arc::new(ThreadPool::with_num_threads(rayon::current_num_threads()));
        let options = RunOptions::default().with_thread_pool(Some(threads));
        Ok(Self { model, bound: Vec::new(), residual: Vec::new(), dims: Vec::new(), ids: None, options })
    }

    fn id(&self, name: &str) -> Result<NodeId, LearnedError> {
        self.model.node_id(name).map_err(failed)
    }
}

impl Engine for Embedded {
    fn names(&self) -> (Vec<String>, Vec<String>) {
        let of = |ids: &[NodeId]| {
            let name = |&id: &NodeId| Some(self.model.node_info(id)?.name()?.to_owned());
            ids.iter().map(|id| name(id).unwrap_or_default()).collect()
        };
        (of(self.model.input_ids()), of(self.model.output_ids()))
    }

    fn bind(&mut self, name: &str, input: Input) -> Result<(), LearnedError> {
        let id = self.id(name)?;
        let value = match input {
            Input::Float(dims, values) => Value::from(Tensor::from_data(&dims, values)),
            Input::Index(dims, values) => {
                let small: Result<Vec<i32>, _> = values.into_iter().map(i32::try_from).collect();
                Value::from(Tensor::from_data(&dims, small.map_err(failed)?))
            }
        };
        self.bound.push((id, value));
        Ok(())
    }

    fn prepare(&mut self, dims: &[usize], output: &str) -> Result<(), LearnedError> {
        self.residual = vec![0.0; dims.iter().product()];
        dims.clone_into(&mut self.dims);
        self.ids = Some((self.id("residual")?, self.id(output)?));
        Ok(())
    }

    fn residual(&mut self) -> &mut [f32] {
        &mut self.residual
    }

    fn run(&mut self, read: &mut dyn FnMut(&[f32]) -> Result<(), LearnedError>) -> Result<(), LearnedError> {
        let Some((residual, output)) = self.ids else { return Err(failed("it is not prepared")) };
        let view = TensorView::from_data(&self.dims[..], &self.residual[..]);
        let mut inputs: Vec<(NodeId, ValueOrView)> = vec![(residual, view.into())];
        inputs.extend(self.bound.iter().map(|(id, value)| (*id, ValueOrView::from(value))));
        let options = self.options.clone();
        let [result] = guarded(|| self.model.run_n(inputs, [output], Some(options)).map_err(failed))?;
        let tensor = result
            .into_tensor::<f32>()
            .ok_or_else(|| LearnedError::model("an output of another type", "floats"))?;
        read(&tensor.to_vec())
    }
}
