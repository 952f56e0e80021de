//! Methods on model problems: set-up and solve to a relative residual of 1e-8.
//!
//! ```text
//! cargo bench --bench krylov
//! ```

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use residua_data::poisson::{PoissonKind, PoissonProblem, PoissonSystem};
use residua_solvers::auto::{Options, Session};
use residua_solvers::{Method, PrecondKind, StopRule};

#[global_allocator]
static ALLOCATOR: residua_data::memory::LargePages = residua_data::memory::LargePages;

const SOLVERS: [(Method, PrecondKind); 7] = [
    (Method::Cg, PrecondKind::Jacobi),
    (Method::Cg, PrecondKind::Ssor),
    (Method::Cg, PrecondKind::Ic0),
    (Method::Cg, PrecondKind::Mic0),
    (Method::Cg, PrecondKind::Ict),
    (Method::Minres, PrecondKind::Jacobi),
    (Method::Auto, PrecondKind::Auto),
];

fn bench_system(criterion: &mut Criterion, name: &str, system: &PoissonSystem) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    for (method, precond) in SOLVERS {
        let mut options = Options::default();
        (options.method, options.precond) = (method, precond);
        group.bench_function(format!("{method}+{precond}"), |bencher| {
            bencher.iter_batched_ref(
                || vec![0.0; system.matrix.ncols()],
                |x| {
                    let mut session = Session::new(&system.matrix, &options).expect("a good matrix");
                    let report = session.solve(&system.rhs, x, &StopRule::rtol(1e-8), &mut ());
                    assert!(report.expect("a good call").outcome.converged(), "a failed solve is not timed");
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn krylov(criterion: &mut Criterion) {
    for (name, dim, n) in [("poisson 2D 256", 2, 256), ("poisson 3D 48", 3, 48)] {
        let system = PoissonProblem::new(PoissonKind::Constant, dim, n).build();
        bench_system(criterion, name, &system.expect("a small problem"));
    }
}

criterion_group!(benches, krylov);
criterion_main!(benches);
