//! Model files: ONNX, read and written without a runtime.

pub(crate) mod cycle;
pub(crate) mod proto;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::LearnedError;
use crate::coefficients::{Coefficients, LEVELS, PER_LEVEL};
use crate::dcdm::Network;
use prost::Message;
use proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, TensorProto};
use std::collections::BTreeMap;
use std::path::Path;

/// Operators and format that the graphs need: understood by ONNX Runtime 1.13 and later.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// Prefix of the metadata of this toolkit.
pub(crate) const PREFIX: &str = "residua.";

/// The value of the entry `kind`.
const KIND: &str = "multigrid";

/// A larger file is no model of this kind.
const MOST_BYTES: u64 = 64 << 20;

/// Levels of the graph beside the coarsest, which is solved by a dense inverse: enough for 4096² and 512³.
fn default_depth(dim: usize) -> usize {
    if dim == 2 { 8 } else { 6 }
}

/// A learned multigrid cycle, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What is learned.
    pub coefficients: Coefficients,
    /// Levels of the ONNX graph beside the coarsest.
    pub depth: usize,
    /// `training_matrix`, `spacing`, `date`, `seed`, `loss_history`, `held_out` and whatever else is worth keeping.
    pub metadata: BTreeMap<String, String>,
}

impl Model {
    /// A model with these coefficients and no history.
    pub fn new(coefficients: Coefficients) -> Self {
        // What the file can hold: single precision.
        let rounded: Vec<f64> = coefficients.to_vec().iter().map(|&v| f64::from(v as f32)).collect();
        let coefficients = Coefficients::from_slice(coefficients.dim, &rounded).unwrap_or(coefficients);
        Self { depth: default_depth(coefficients.dim), coefficients, metadata: BTreeMap::new() }
    }

    /// The model that this version ships for `dim` = 2 or 3.
    ///
    /// # Errors
    /// [`LearnedError::Model`] for another dimension.
    pub fn shipped(dim: usize) -> Result<Self, LearnedError> {
        match dim {
            2 => Self::from_bytes(include_bytes!("../../models/poisson2d.onnx")),
            3 => Self::from_bytes(include_bytes!("../../models/poisson3d.onnx")),
            _ => Err(LearnedError::model(format!("grid dimension {dim}"), "2 or 3")),
        }
    }

    /// Reads and checks `path`.
    ///
    /// # Errors
    /// [`LearnedError::File`], and as [`from_bytes`](Self::from_bytes).
    pub fn read(path: &Path) -> Result<Self, LearnedError> {
        read_file(path, Self::from_bytes)
    }

    /// Checks the bytes of a file: names, shapes, types, and that the cycle is symmetric positive definite.
    ///
    /// # Errors
    /// [`LearnedError::Model`] says what was found and what was expected.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LearnedError> {
        let (graph, mut metadata) = decode(bytes)?;
        let kind = metadata.remove("kind").unwrap_or_default();
        if kind != KIND {
            let found = format!("metadata {PREFIX}kind = \"{kind}\"");
            return Err(LearnedError::model(found, format!("\"{KIND}\", as residua train writes it")));
        }
        let number = |key: &str, value: Option<String>| {
            let parsed = value.as_deref().and_then(|v| v.parse::<usize>().ok());
            parsed.ok_or_else(|| {
                LearnedError::model(format!("metadata {PREFIX}{key} = {value:?}"), "a whole number")
            })
        };
        let dim = number("dim", metadata.remove("dim"))?;
        let depth = number("depth", metadata.remove("depth"))?;
        if !(1..=16).contains(&depth) {
            return Err(LearnedError::model(format!("{depth} levels"), "1 to 16"));
        }
        let named = |name: &str| graph.input.iter().any(|input| input.name == name);
        let names = (0..depth).flat_map(cycle::level_inputs);
        let all = names.chain(["residual".to_owned(), cycle::COARSEST.to_owned()]);
        if let Some(missing) = all.into_iter().find(|name| !named(name)) {
            return Err(LearnedError::model(format!("no input {missing}"), "the inputs of a cycle"));
        }
        if graph.output.len() != 1 || graph.output.first().is_none_or(|o| o.name != "z") {
            return Err(LearnedError::model("other outputs", "one output, z"));
        }
        let tensor = graph.initializer.iter().find(|t| t.name == cycle::COEFFICIENTS);
        let values = read_coefficients(tensor)?;
        Ok(Self { coefficients: Coefficients::from_slice(dim, &values)?, depth, metadata })
    }

    /// The bytes of the file: the graph of the whole cycle with the coefficients as an initializer, and the metadata.
    pub fn to_bytes(&self) -> Vec<u8> {
        let values: Vec<f32> = self.coefficients.to_vec().iter().map(|&v| v as f32).collect();
        let own = [("dim", self.coefficients.dim.to_string()), ("depth", self.depth.to_string())];
        let about = "A learned multigrid V(2,2)-cycle: z = B residual";
        encode(KIND, about, cycle::graph(self.depth, &values), &own, &self.metadata)
    }

    /// Writes `path`, as a whole or not at all.
    ///
    /// # Errors
    /// [`LearnedError::File`].
    pub fn write(&self, path: &Path) -> Result<(), LearnedError> {
        write_file(path, &self.to_bytes())
    }
}

/// What a model file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelFile {
    /// A learned multigrid cycle.
    Multigrid(Model),
    /// A network from residuals to directions, as in deep conjugate direction methods.
    Network(Network),
}

impl ModelFile {
    /// Reads `path`: a file without a kind of this toolkit is taken as a network.
    ///
    /// # Errors
    /// [`LearnedError::File`], [`LearnedError::Model`].
    pub fn read(path: &Path) -> Result<Self, LearnedError> {
        read_file(path, |bytes| {
            let (_, metadata) = decode(bytes)?;
            match metadata.get("kind").map(String::as_str) {
                Some(KIND) => Model::from_bytes(bytes).map(Self::Multigrid),
                _ => Network::from_bytes(bytes).map(Self::Network),
            }
        })
    }

    /// 2 or 3.
    pub fn dim(&self) -> usize {
        match self {
            Self::Multigrid(model) => model.coefficients.dim,
            Self::Network(network) => network.dim,
        }
    }
}

/// The bytes of `path`, made sense of by `parse`.
pub(crate) fn read_file<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, LearnedError>,
) -> Result<T, LearnedError> {
    let failed = |reason: String| LearnedError::File { path: path.display().to_string(), reason };
    let size = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(failed(format!("{size} bytes: expected a model of at most {MOST_BYTES}")));
    }
    let bytes = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    parse(&bytes).map_err(|e| failed(e.to_string()))
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), LearnedError> {
    let failed =
        |e: std::io::Error| LearnedError::File { path: path.display().to_string(), reason: e.to_string() };
    residua_data::whole_file::write_bytes(path, bytes).map_err(failed)
}

/// The graph of a file, and its metadata of this toolkit.
pub(crate) fn decode(bytes: &[u8]) -> Result<(GraphProto, BTreeMap<String, String>), LearnedError> {
    let model = ModelProto::decode(bytes)
        .map_err(|e| LearnedError::model(format!("bytes that are no ONNX file ({e})"), "an ONNX model"))?;
    let graph = model.graph.ok_or_else(|| {
        LearnedError::model("an ONNX file without a graph", "a model written by residua train")
    })?;
    let own = |entry: StringStringEntryProto| Some((entry.key.strip_prefix(PREFIX)?.to_owned(), entry.value));
    Ok((graph, model.metadata_props.into_iter().filter_map(own).collect()))
}

pub(crate) fn encode(
    kind: &str,
    about: &str,
    graph: GraphProto,
    own: &[(&str, String)],
    metadata: &BTreeMap<String, String>,
) -> Vec<u8> {
    let kind = [("kind".to_owned(), kind.to_owned())];
    let own = own.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    let entries = kind.into_iter().chain(own).chain(metadata.iter().map(|(k, v)| (k.clone(), v.clone())));
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "residua".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: about.to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: entries
            .map(|(key, value)| StringStringEntryProto { key: format!("{PREFIX}{key}"), value })
            .collect(),
    };
    model.encode_to_vec()
}

fn read_coefficients(tensor: Option<&TensorProto>) -> Result<Vec<f64>, LearnedError> {
    let expected = || format!("an initializer {} of {LEVELS} x {PER_LEVEL} floats", cycle::COEFFICIENTS);
    let tensor = tensor.ok_or_else(|| LearnedError::model("no learned coefficients", expected()))?;
    if tensor.data_type != cycle::FLOAT {
        return Err(LearnedError::model(
            format!("coefficients of ONNX type {}", tensor.data_type),
            expected(),
        ));
    }
    if tensor.dims != [LEVELS as i64, PER_LEVEL as i64] {
        return Err(LearnedError::model(format!("coefficients of shape {:?}", tensor.dims), expected()));
    }
    let (words, rest) = tensor.raw_data.as_chunks::<4>();
    let values: Vec<f64> = if tensor.raw_data.is_empty() {
        tensor.float_data.iter().map(|&v| f64::from(v)).collect()
    } else {
        words.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
    };
    if values.len() != LEVELS * PER_LEVEL || !rest.is_empty() {
        return Err(LearnedError::model(format!("{} coefficients", values.len()), expected()));
    }
    Ok(values)
}
