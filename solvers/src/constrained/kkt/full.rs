//! K by full rows, for methods that draw rows.

use super::KktSystem;
use crate::constrained::sparse::Rows;
use crate::sketch::SparseRows;

/// Writes K into `out`, whose memory is reused. `h` is the lower triangle of H.
pub(super) fn assemble(system: &KktSystem<'_>, h: &Rows, out: &mut SparseRows, next: &mut Vec<usize>) {
    let (n, m) = (system.n(), system.m());
    let j = system.j;
    next.clear();
    next.resize(n + m, 1); // the diagonal
    for i in 0..n {
        for &c in h.row(i).0.iter().filter(|&&c| c as usize != i) {
            next[i] += 1;
            next[c as usize] += 1;
        }
    }
    for i in 0..m {
        next[n + i] += j.row(i).0.len();
        j.row(i).0.iter().for_each(|&c| next[c as usize] += 1);
    }
    out.ncols = n + m;
    out.starts.clear();
    out.starts.push(0);
    let mut total = 0;
    for count in next.iter_mut() {
        let start = total;
        total += *count;
        *count = start;
        out.starts.push(total);
    }
    out.columns.clear();
    out.columns.resize(total, 0);
    out.values.clear();
    out.values.resize(total, 0.0);
    let mut put = |row: usize, column: usize, value: f64| {
        out.columns[next[row]] = column as u32;
        out.values[next[row]] = value;
        next[row] += 1;
    };
    for i in 0..n {
        let (columns, values) = h.row(i);
        let mut diagonal = system.diagonal[i] + system.delta_w;
        for (&c, &v) in columns.iter().zip(values) {
            if c as usize == i {
                diagonal += v;
            } else {
                put(i, c as usize, v);
                put(c as usize, i, v);
            }
        }
        put(i, i, diagonal);
    }
    for i in 0..m {
        let (columns, values) = j.row(i);
        for (&c, &v) in columns.iter().zip(values) {
            put(n + i, c as usize, v);
            put(c as usize, n + i, v);
        }
        put(n + i, n + i, -system.delta_c);
    }
}

/// Divides every row by its norm, written to `norms` (1 for a row of zeros).
pub(super) fn scale_rows(k: &mut SparseRows, norms: &mut Vec<f64>) {
    norms.clear();
    for i in 0..k.nrows() {
        let row = &mut k.values[k.starts[i]..k.starts[i + 1]];
        let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        let norm = if norm > 0.0 && norm.is_finite() { norm } else { 1.0 };
        row.iter_mut().for_each(|v| *v /= norm);
        norms.push(norm);
    }
}
