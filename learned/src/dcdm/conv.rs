//! A convolution of odd width with zero padding in 2D, and its adjoints, as products of small matrices.
//!
//! The columns matrix C has a row for each point and a column for each (channel, tap): the image, shifted. Then
//! y = C w + bias, ∂w = Cᵀ ∂y, ∂C = ∂y wᵀ, and ∂x gathers ∂C back.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Channels of an image, each `height` rows of `width`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Image {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) data: Vec<f32>,
}

impl Image {
    pub(super) fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, data: vec![0.0; channels * height * width] }
    }

    fn points(&self) -> usize {
        self.height * self.width
    }
}

/// A layer's numbers: `weight` is indexed by output channel, input channel, row, column, as ONNX has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conv {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// 1 or 3.
    pub(super) width: usize,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Conv {
    /// Uniform weights of Glorot and Bengio (2010), bias 0.
    pub(super) fn new(inputs: usize, outputs: usize, width: usize, seed: u64) -> Self {
        let taps = width * width;
        let limit = (6.0 / ((inputs + outputs) * taps) as f64).sqrt();
        let mut random = StdRng::seed_from_u64(seed);
        let draw = |_| (limit * (2.0 * random.random::<f64>() - 1.0)) as f32;
        let weight = (0..inputs * outputs * taps).map(draw).collect();
        Self { inputs, outputs, width, weight, bias: vec![0.0; outputs] }
    }

    /// The same shape, all 0.
    pub(super) fn zeros_like(&self) -> Self {
        Self { weight: vec![0.0; self.weight.len()], bias: vec![0.0; self.bias.len()], ..*self }
    }

    fn columns(&self) -> usize {
        self.inputs * self.width * self.width
    }

    /// y = C w + bias.
    pub(super) fn forward(&self, x: &Image) -> Image {
        let (n, k) = (x.points(), self.columns());
        let mut y = Image::new(self.outputs, x.height, x.width);
        for (channel, &bias) in y.data.chunks_exact_mut(n).zip(&self.bias) {
            channel.fill(bias);
        }
        let spread = self.spread(x);
        let columns = spread.as_deref().unwrap_or(&x.data);
        let w = MatRef::from_column_major_slice(&self.weight, k, self.outputs);
        let c = MatRef::from_column_major_slice(columns, n, k);
        let product = MatMut::from_column_major_slice_mut(&mut y.data, n, self.outputs);
        matmul(product, Accum::Add, c, w, 1.0, Par::Seq);
        y
    }

    /// Adds ∂w and ∂bias to `gradient` and returns ∂x, where the layer had x and its result has ∂y.
    pub(super) fn backward(&self, x: &Image, dy: &Image, gradient: &mut Self) -> Image {
        let (n, k) = (x.points(), self.columns());
        let spread = self.spread(x);
        let columns = spread.as_deref().unwrap_or(&x.data);
        let c = MatRef::from_column_major_slice(columns, n, k);
        let dy_view = MatRef::from_column_major_slice(&dy.data, n, self.outputs);
        let dw = MatMut::from_column_major_slice_mut(&mut gradient.weight, k, self.outputs);
        matmul(dw, Accum::Add, c.transpose(), dy_view, 1.0, Par::Seq);
        for (sum, channel) in gradient.bias.iter_mut().zip(dy.data.chunks_exact(n)) {
            *sum += channel.iter().sum::<f32>();
        }
        let mut dc = vec![0.0; n * k];
        let w = MatRef::from_column_major_slice(&self.weight, k, self.outputs);
        let product = MatMut::from_column_major_slice_mut(&mut dc, n, k);
        matmul(product, Accum::Replace, dy_view, w.transpose(), 1.0, Par::Seq);
        self.gather(x, dc)
    }

    /// C; none where it is the image itself.
    fn spread(&self, x: &Image) -> Option<Vec<f32>> {
        if self.width == 1 {
            return None;
        }
        let n = x.points();
        let mut columns = vec![0.0; n * self.columns()];
        for (at, column) in columns.chunks_exact_mut(n).enumerate() {
            let (channel, shift) = self.shift(at);
            let image = &x.data[channel * n..][..n];
            for_each_row(x, shift, |to, from, len| {
                column[to..to + len].copy_from_slice(&image[from..from + len]);
            });
        }
        Some(columns)
    }

    /// The adjoint of [`spread`](Self::spread).
    fn gather(&self, x: &Image, columns: Vec<f32>) -> Image {
        let n = x.points();
        let mut dx = Image { data: Vec::new(), ..*x };
        if self.width == 1 {
            dx.data = columns;
            return dx;
        }
        dx.data = vec![0.0; self.inputs * n];
        for (at, column) in columns.chunks_exact(n).enumerate() {
            let (channel, shift) = self.shift(at);
            let image = &mut dx.data[channel * n..][..n];
            for_each_row(x, shift, |to, from, len| {
                image[from..from + len].iter_mut().zip(&column[to..to + len]).for_each(|(x, c)| *x += c);
            });
        }
        dx
    }

    /// Channel and shift (rows, columns) of a column of C.
    fn shift(&self, column: usize) -> (usize, [isize; 2]) {
        let taps = self.width * self.width;
        let half = (self.width / 2) as isize;
        let tap = column % taps;
        (column / taps, [(tap / self.width) as isize - half, (tap % self.width) as isize - half])
    }
}

/// The parts of rows that a shift keeps inside: start in the result, start in the image, length.
fn for_each_row(x: &Image, [rows, columns]: [isize; 2], mut f: impl FnMut(usize, usize, usize)) {
    let len = x.width.saturating_sub(columns.unsigned_abs());
    let (to, from) = (columns.min(0).unsigned_abs(), columns.max(0).unsigned_abs());
    for row in 0..x.height {
        let Some(source) = row.checked_add_signed(rows).filter(|&source| source < x.height) else { continue };
        f(row * x.width + to, source * x.width + from, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(channels: usize, height: usize, width: usize, seed: u64) -> Image {
        let mut random = StdRng::seed_from_u64(seed);
        let data = (0..channels * height * width).map(|_| random.random::<f32>() - 0.5).collect();
        Image { channels, height, width, data }
    }

    /// The sum over taps, written out.
    #[test]
    fn a_convolution_is_its_definition() {
        for (width, height) in [(3, 5), (1, 4)] {
            let conv = Conv { bias: vec![0.5, -1.0], ..Conv::new(3, 2, width, 4) };
            let x = image(3, height, 7, 1);
            let y = conv.forward(&x);
            let half = (width / 2) as isize;
            for o in 0..2 {
                for (i, j) in (0..height).flat_map(|i| (0..7).map(move |j| (i, j))) {
                    let mut sum = conv.bias[o];
                    for (c, p, q) in
                        (0..3).flat_map(|c| (0..width).flat_map(move |p| (0..width).map(move |q| (c, p, q))))
                    {
                        let (k, l) = (i as isize + p as isize - half, j as isize + q as isize - half);
                        if (0..height as isize).contains(&k) && (0..7).contains(&l) {
                            sum += conv.weight[((o * 3 + c) * width + p) * width + q]
                                * x.data[(c * height + k as usize) * 7 + l as usize];
                        }
                    }
                    assert!((y.data[(o * height + i) * 7 + j] - sum).abs() < 1e-5);
                }
            }
        }
    }

    /// ⟨∂y, C(x) w⟩ is linear in x and in w; so its derivatives are the adjoints.
    #[test]
    fn the_gradients_are_adjoints() {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        for width in [1, 3] {
            let conv = Conv::new(2, 4, width, 7);
            let (x, dy) = (image(2, 6, 5, 2), image(4, 6, 5, 3));
            let mut gradient = conv.zeros_like();
            let dx = conv.backward(&x, &dy, &mut gradient);
            let value = dot(&dy.data, &conv.forward(&x).data);
            assert!((value - dot(&dx.data, &x.data)).abs() < 1e-4);
            assert!((value - dot(&gradient.weight, &conv.weight)).abs() < 1e-4);
            assert!((gradient.bias[1] - dy.data[30..60].iter().sum::<f32>()).abs() < 1e-4);
        }
    }
}
