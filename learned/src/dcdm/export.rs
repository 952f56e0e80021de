//! The network as an ONNX file: input `residual`, output `z`, both [1, 1, height, width] with free, even sizes.

use super::conv::Conv;
use super::network::{Network as Layers, STEPS, Step};
use crate::LearnedError;
use crate::onnx::cycle::{FLOAT, floats, value};
use crate::onnx::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};
use crate::onnx::{PREFIX, decode, encode};
use std::collections::BTreeMap;
use std::path::Path;

/// The value of the metadata entry `kind`.
pub(crate) const KIND: &str = "network";

/// A network from residuals to directions: the bytes of an ONNX file, which the runtime reads, and its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    bytes: Vec<u8>,
    /// What both sides of an image must be multiples of; images are padded with zeros to that.
    pub multiple: usize,
    /// 2 or 3.
    pub dim: usize,
    /// `training_matrix`, `date`, `seed`, `loss_history` and whatever else is worth keeping.
    pub metadata: BTreeMap<String, String>,
}

impl Network {
    /// The network that this version ships: deep conjugate directions in 2D, trained on the empty box of 64².
    ///
    /// # Errors
    /// [`LearnedError::Model`] if the file is damaged.
    pub fn shipped() -> Result<Self, LearnedError> {
        Self::from_bytes(include_bytes!("../../models/dcdm2d.onnx"))
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`LearnedError::File`], and as [`from_bytes`](Self::from_bytes).
    pub fn read(path: &Path) -> Result<Self, LearnedError> {
        crate::onnx::read_file(path, Self::from_bytes)
    }

    /// Any ONNX file whose inputs and output are those of a direction (names are checked by the runtime).
    ///
    /// # Errors
    /// [`LearnedError::Model`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LearnedError> {
        let (_, mut metadata) = decode(bytes)?;
        let mut number = |key: &str, default: usize| match metadata.remove(key) {
            None => Ok(default),
            Some(text) => text.parse::<usize>().map_err(|_| {
                LearnedError::model(format!("metadata {PREFIX}{key} = \"{text}\""), "a whole number")
            }),
        };
        let (multiple, dim) = (number("multiple", 1)?, number("dim", 2)?);
        if !(1..=256).contains(&multiple) || !matches!(dim, 2 | 3) {
            let found = format!("a network of {dim} dimensions for multiples of {multiple} points");
            return Err(LearnedError::model(found, "2 or 3, and 1 to 256"));
        }
        metadata.remove("kind");
        Ok(Self { bytes: bytes.to_vec(), multiple, dim, metadata })
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes `path`, as a whole or not at all.
    ///
    /// # Errors
    /// [`LearnedError::File`].
    pub fn write(&self, path: &Path) -> Result<(), LearnedError> {
        crate::onnx::write_file(path, &self.bytes)
    }

    pub(super) fn new(layers: &Layers, metadata: BTreeMap<String, String>) -> Self {
        let mut builder = Builder { nodes: Vec::new(), initializers: Vec::new() };
        let mut convs = layers.convs.iter();
        let (mut x, mut kept) = ("residual".to_owned(), String::new());
        let last = STEPS.len() - 1;
        for (k, step) in STEPS.into_iter().enumerate() {
            let name = |part: &str| if k == last { "z".to_owned() } else { format!("{part}_{k}") };
            x = match step {
                Step::Linear => builder.conv(convs.next(), &x, &name("linear")),
                Step::Relu => {
                    let y = builder.conv(convs.next(), &x, &name("conv"));
                    builder.node("Relu", &[&y], &name("relu"), vec![])
                }
                Step::Block => {
                    let u = builder.conv(convs.next(), &x, &name("inner"));
                    let u = builder.node("Relu", &[&u], &name("inner_relu"), vec![]);
                    let v = builder.conv(convs.next(), &u, &name("outer"));
                    let v = builder.node("Relu", &[&v], &name("outer_relu"), vec![]);
                    builder.node("Add", &[&v, &x], &name("block"), vec![])
                }
                Step::Keep => {
                    kept = x.clone();
                    x
                }
                Step::Pool => {
                    let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
                    builder.node("AveragePool", &[&x], &name("pool"), attributes)
                }
                Step::Add => {
                    builder.initializers.push(floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0]));
                    let attributes = [
                        ("mode", "nearest"),
                        ("coordinate_transformation_mode", "asymmetric"),
                        ("nearest_mode", "floor"),
                    ];
                    let attributes = attributes.into_iter().map(|(name, value)| text(name, value)).collect();
                    let up = builder.node("Resize", &[&x, "", "twice"], &name("doubled"), attributes);
                    builder.node("Add", &[&up, &kept], &name("added"), vec![])
                }
            };
        }
        let shape = ["1", "1", "height", "width"];
        let graph = GraphProto {
            node: builder.nodes,
            name: "deep_conjugate_directions".to_owned(),
            initializer: builder.initializers,
            input: vec![value("residual", FLOAT, &shape)],
            output: vec![value("z", FLOAT, &shape)],
        };
        let own = [("multiple", "2".to_owned()), ("dim", "2".to_owned())];
        let bytes = encode(KIND, "Deep conjugate directions: z = f(residual)", graph, &own, &metadata);
        Self { bytes, multiple: 2, dim: 2, metadata }
    }
}

struct Builder {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

impl Builder {
    fn node(&mut self, op: &str, input: &[&str], output: &str, attribute: Vec<AttributeProto>) -> String {
        self.nodes.push(NodeProto {
            input: input.iter().map(|&s| s.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op.to_owned(),
            attribute,
        });
        output.to_owned()
    }

    fn conv(&mut self, conv: Option<&Conv>, x: &str, output: &str) -> String {
        let Some(conv) = conv else { return x.to_owned() };
        let (k, pad) = (conv.width as i64, conv.width as i64 / 2);
        let (weight, bias) = (format!("{output}.weight"), format!("{output}.bias"));
        let dims = [conv.outputs as i64, conv.inputs as i64, k, k];
        self.initializers.push(floats(&weight, &dims, &conv.weight));
        self.initializers.push(floats(&bias, &dims[..1], &conv.bias));
        let attributes = vec![ints("kernel_shape", &[k, k]), ints("pads", &[pad; 4])];
        self.node("Conv", &[x, &weight, &bias], output, attributes)
    }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints: values.to_vec(), kind: 7, ..Default::default() }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), s: value.as_bytes().to_vec(), kind: 3, ..Default::default() }
}
