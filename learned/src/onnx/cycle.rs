//! The whole cycle as an ONNX graph, for any geometry.
//!
//! The geometry is its inputs: for each level the conductances of A, D⁻¹ and P as padded tables of (index, value), so
//! that A x is `Gather`, `Mul`, `ReduceSum`. All sizes are free. What is learned are its initializers.

use super::proto::*;
use crate::multigrid::{REVISITED, VISITS};

/// Tensor types.
pub(crate) const FLOAT: i32 = 1;
pub(super) const INT64: i32 = 7;

/// Name of the initializer that holds what is learned.
pub(crate) const COEFFICIENTS: &str = "coefficients";

/// Names of the tables of level `l`: conductances, diagonal, θ/d, P, Pᵀ.
pub(crate) fn level_inputs(l: usize) -> [String; 8] {
    ["w_index", "w", "diagonal", "inverse", "p_index", "p", "r_index", "r"].map(|name| format!("{name}_{l}"))
}

/// Name of the dense inverse of the coarsest level.
pub(crate) const COARSEST: &str = "coarsest";

struct Builder {
    nodes: Vec<NodeProto>,
    depth: usize,
    /// Of the names of nodes: which visit they belong to.
    prefix: String,
}

impl Builder {
    fn node(&mut self, op: &str, input: &[&str], output: &str) -> String {
        self.nodes.push(NodeProto {
            input: input.iter().map(|&s| s.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op.to_owned(),
            attribute: Vec::new(),
        });
        output.to_owned()
    }

    fn with(&mut self, name: &str, i: i64) {
        if let Some(node) = self.nodes.last_mut() {
            node.attribute.push(AttributeProto { name: name.to_owned(), i, kind: 2, ..Default::default() });
        }
    }

    /// `Σ_k value_ik x[index_ik]`.
    fn product(&mut self, index: &str, value: &str, x: &str, output: &str) -> String {
        let gathered = self.node("Gather", &[x, index], &format!("{output}.gathered"));
        let scaled = self.node("Mul", &[&gathered, value], &format!("{output}.scaled"));
        let sum = self.node("ReduceSum", &[&scaled, "axis_1"], output);
        self.with("keepdims", 0);
        sum
    }

    /// b − A x.
    fn defect(&mut self, l: usize, b: &str, x: &str, output: &str) -> String {
        let [w_index, w, diagonal, ..] = level_inputs(l);
        let others = self.product(&w_index, &w, x, &format!("{output}.others"));
        let own = self.node("Mul", &[&diagonal, x], &format!("{output}.own"));
        let ax = self.node("Sub", &[&own, &others], &format!("{output}.ax"));
        self.node("Sub", &[b, &ax], output)
    }

    /// x + step (b − A x).
    fn relax(&mut self, l: usize, step: &str, b: &str, x: &str, output: &str) -> String {
        let defect = self.defect(l, b, x, &format!("{output}.defect"));
        let change = self.node("Mul", &[step, &defect], &format!("{output}.change"));
        self.node("Add", &[x, &change], output)
    }

    /// The sum of the results of several visits to level `l`, each for what the ones before leave of `b`.
    fn visits(&mut self, l: usize, b: &str) -> String {
        let mut sum = self.cycle(l, b);
        let (mut rest, mut x) = (b.to_owned(), sum.clone());
        for visit in 1..VISITS {
            rest = self.defect(l, &rest, &x, &format!("rest_{visit}"));
            self.prefix = format!("visit_{visit}.");
            x = self.cycle(l, &rest);
            sum = self.node("Add", &[&sum, &x], &format!("sum_{visit}"));
        }
        self.prefix.clear();
        sum
    }

    /// The result of level `l` for the right-hand side `b`.
    fn cycle(&mut self, l: usize, b: &str) -> String {
        if l == self.depth {
            let output = format!("{}coarsest.x", self.prefix);
            return self.node("MatMul", &[COARSEST, b], &output);
        }
        let [.., inverse, p_index, p, r_index, r] = level_inputs(l);
        let prefix = self.prefix.clone();
        let name = |part: &str| format!("{prefix}level_{l}.{part}");
        let row = l.min(crate::coefficients::LEVELS - 1);
        let own = self.node("Gather", &[COEFFICIENTS, &format!("row_{row}")], &name("coefficients"));
        let steps = [0, 1].map(|q| {
            let omega = self.node("Gather", &[&own, &format!("row_{q}")], &name(&format!("omega_{q}")));
            self.node("Mul", &[&inverse, &omega], &name(&format!("step_{q}")))
        });
        let x = self.node("Mul", &[&steps[0], b], &name("pre_0"));
        let x = self.relax(l, &steps[1], b, &x, &name("pre_1"));
        let residual = self.defect(l, b, &x, &name("residual"));
        let coarse = self.product(&r_index, &r, &residual, &name("restricted"));
        let e = if l + 1 == REVISITED && l + 1 < self.depth {
            self.visits(l + 1, &coarse)
        } else {
            self.cycle(l + 1, &coarse)
        };
        let e = self.product(&p_index, &p, &e, &name("correction"));
        let x = self.node("Add", &[&x, &e], &name("corrected"));
        let x = self.relax(l, &steps[1], b, &x, &name("post_1"));
        let output = if l == 0 { "z".to_owned() } else { name("post_0") };
        self.relax(l, &steps[0], b, &x, &output)
    }
}

pub(crate) fn value(name: &str, kind: i32, shape: &[&str]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|size| DimensionProto { dim_value: None, dim_param: Some((*size).to_owned()) })
        .collect();
    let tensor_type = Some(TensorTypeProto { elem_type: kind, shape: Some(ShapeProto { dim }) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let raw_data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    TensorProto {
        dims: dims.to_vec(),
        data_type: FLOAT,
        name: name.to_owned(),
        raw_data,
        ..Default::default()
    }
}

fn integer(name: &str, dims: &[i64], value: i64) -> TensorProto {
    let raw_data = value.to_le_bytes().to_vec();
    TensorProto {
        dims: dims.to_vec(),
        data_type: INT64,
        name: name.to_owned(),
        raw_data,
        ..Default::default()
    }
}

/// The cycle of `depth` levels beside the coarsest.
pub(super) fn graph(depth: usize, coefficients: &[f32]) -> GraphProto {
    let mut builder = Builder { nodes: Vec::new(), depth, prefix: String::new() };
    builder.cycle(0, "residual");
    let mut input = vec![value("residual", FLOAT, &["n_0"])];
    for l in 0..depth {
        let (n, next) = (format!("n_{l}"), format!("n_{}", l + 1));
        let names = level_inputs(l);
        let (w, p, r) = (format!("w_columns_{l}"), format!("p_columns_{l}"), format!("r_columns_{l}"));
        let shapes: [&[&str]; 8] =
            [&[&n, &w], &[&n, &w], &[&n], &[&n], &[&n, &p], &[&n, &p], &[&next, &r], &[&next, &r]];
        for (name, shape) in names.iter().zip(shapes) {
            input.push(value(name, if name.contains("index") { INT64 } else { FLOAT }, shape));
        }
    }
    let last = format!("n_{depth}");
    input.push(value(COARSEST, FLOAT, &[&last, &last]));
    let dims = [crate::coefficients::LEVELS as i64, crate::coefficients::PER_LEVEL as i64];
    let mut initializer = vec![floats(COEFFICIENTS, &dims, coefficients), integer("axis_1", &[1], 1)];
    initializer.extend((0..dims[0]).map(|row| integer(&format!("row_{row}"), &[], row)));
    GraphProto {
        node: builder.nodes,
        name: "learned_multigrid".to_owned(),
        initializer,
        input,
        output: vec![value("z", FLOAT, &["n_0"])],
    }
}
