//! What a decision costs: `cargo run --release -p residua-bandit --example overhead`.
#![allow(clippy::print_stdout)]

use rand::{RngExt, SeedableRng};
use residua_bandit::{
    ChebCb, ChebCbRidge, Context, Feature, Guarded, Policy, PolicyError, ResumableRng, TsallisInf,
    UniformRandom,
};
use std::time::Instant;

fn main() -> Result<(), PolicyError> {
    let arms = 20;
    let range = Feature::linear(0.0, 1.0);
    let policies: Vec<(&str, usize, Box<dyn Policy>)> = vec![
        ("uniform", 0, Box::new(UniformRandom::new(arms)?)),
        ("tsallis-inf", 0, Box::new(TsallisInf::new(arms)?)),
        ("cheb-cb, 6 terms", 1, Box::new(ChebCb::new(arms, (0.0, 1.0), 6, 0.0)?)),
        ("cheb-cb-ridge, 6 terms", 1, Box::new(ChebCbRidge::new(arms, vec![range])?)),
        ("cheb-cb-ridge, 15 terms", 4, Box::new(ChebCbRidge::new(arms, vec![range; 4])?)),
        ("guarded cheb-cb-ridge", 1, Box::new(Guarded::new(ChebCbRidge::new(arms, vec![range])?, 0)?)),
    ];
    println!("select and update with {arms} arms, best of 20 times 1000 rounds");
    for (name, features, mut policy) in policies {
        let mut rng = ResumableRng::seed_from_u64(0);
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let start = Instant::now();
            for _ in 0..1000 {
                let x: [f64; 4] = rng.random();
                let decision = policy.select(Context::of(&x[..features]), &mut rng)?;
                let cost = 1.0 + (x[0] - decision.arm() as f64 / arms as f64).powi(2);
                policy.update(decision, cost)?;
            }
            best = best.min(start.elapsed().as_secs_f64() / 1000.0);
        }
        println!("{name:<24} {:6.2} µs", best * 1e6);
    }
    Ok(())
}
