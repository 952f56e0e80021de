//! What a runtime has to do.

use crate::LearnedError;

/// An input that stays the same from run to run, in its shape.
pub(super) enum Input {
    Float(Vec<usize>, Vec<f32>),
    Index(Vec<usize>, Vec<i64>),
}

/// A loaded model, its inputs bound.
pub(super) trait Engine: Send {
    /// Names of the inputs, and of the outputs.
    fn names(&self) -> (Vec<String>, Vec<String>);

    /// Binds `input` for good.
    fn bind(&mut self, name: &str, input: Input) -> Result<(), LearnedError>;

    /// The buffer of the input `residual`, of shape `dims`, and the output to read, of the same shape.
    fn prepare(&mut self, dims: &[usize], output: &str) -> Result<(), LearnedError>;

    /// The buffer of the input `residual`.
    fn residual(&mut self) -> &mut [f32];

    /// Runs the model and shows the output.
    fn run(&mut self, read: &mut dyn FnMut(&[f32]) -> Result<(), LearnedError>) -> Result<(), LearnedError>;
}
