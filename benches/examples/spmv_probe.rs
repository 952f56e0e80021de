use residua_benches::stream::{best_of, triad};
use residua_solvers::{CsrMatrix, LinearOperator, kernels};
fn main() {
    let n = 128usize;
    let (mut rp, mut ci, mut v) = (vec![0u32], vec![], vec![]);
    for z in 0..n {
        for y in 0..n {
            for x in 0..n {
                let i = (z * n + y) * n + x;
                let mut add = |c: usize, val: f64| {
                    ci.push(c as u32);
                    v.push(val);
                };
                if z > 0 {
                    add(i - n * n, -1.0)
                }
                if y > 0 {
                    add(i - n, -1.0)
                }
                if x > 0 {
                    add(i - 1, -1.0)
                }
                add(i, 6.0);
                if x < n - 1 {
                    add(i + 1, -1.0)
                }
                if y < n - 1 {
                    add(i + n, -1.0)
                }
                if z < n - 1 {
                    add(i + n * n, -1.0)
                }
                rp.push(ci.len() as u32);
            }
        }
    }
    let m = n * n * n;
    let a = CsrMatrix::try_new(m, m, rp, ci, v).unwrap();
    let x: Vec<f64> = (0..m).map(|i| (i as f64).sin()).collect();
    let mut y = vec![0.0; m];
    let bytes = (12 * a.nnz() + 4 * (m + 1) + 16 * m) as f64;
    for t in [1usize, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(t).build().unwrap();
        pool.install(|| {
            for _ in 0..3 {
            let tr = triad(20)/1e9;
            let s = bytes/best_of(20, || a.apply(&x,&mut y)).as_secs_f64()/1e9;
            let d = bytes/best_of(20, || {a.apply_dot(&x,&mut y);}).as_secs_f64()/1e9;
            let b = x.clone(); let mut r = y.clone();
            let rs = (bytes+8.0*m as f64)/best_of(20, || a.residual(&b,&x,&mut r)).as_secs_f64()/1e9;
            let dt = 16.0*m as f64/best_of(20, || {std::hint::black_box(kernels::dot(&x,&y));}).as_secs_f64()/1e9;
            let ax = 24.0*m as f64/best_of(20, || kernels::axpy(1e-9, &x, &mut r)).as_secs_f64()/1e9;
            println!("threads {t}: triad {tr:.1} GB/s  spmv {s:.1} ({:.0}%)  spmv+dot {d:.1}  residual {rs:.1} dot {dt:.1} axpy {ax:.1}", 100.0*s/tr);
            }
        });
    }
}
