//! `residua train`, checked.

use super::{UsageError, check_output_file};
use crate::args::TrainArgs;
use residua_data::poisson::PoissonKind;
use residua_learned::train::TrainOptions;
use std::path::PathBuf;
use std::time::Duration;

/// What `residua train` has to do.
#[derive(Debug)]
pub(crate) struct TrainPlan {
    pub(crate) options: TrainOptions,
    pub(crate) out: PathBuf,
}

impl TrainPlan {
    pub(crate) fn new(typed: TrainArgs, seed: u64) -> Result<Self, UsageError> {
        let kind = |name: &String| {
            let name = if name == "blobs" { "obstacles" } else { name };
            let kind = name.parse::<PoissonKind>().map_err(|e| UsageError::new(format!("--family: {e}")))?;
            if kind == PoissonKind::Convection {
                return Err(UsageError::new("--family convection: expected symmetric problems"));
            }
            Ok(kind)
        };
        let mut options = TrainOptions::new(usize::from(typed.dim));
        options.family = typed.family.iter().map(kind).collect::<Result<_, _>>()?;
        (options.cases, options.generations, options.seed) = (typed.cases, typed.generations, seed);
        options.n = typed.n.unwrap_or(options.n);
        options.budget = match typed.budget_seconds {
            None => None,
            Some(seconds) => Some(Duration::try_from_secs_f64(seconds).map_err(|_| {
                UsageError::new(format!(
                    "--budget-seconds {seconds}: expected a number of seconds, 0 or greater"
                ))
            })?),
        };
        if typed.cases == 0 {
            return Err(UsageError::new("--cases 0: expected 1 or more"));
        }
        let most = if typed.dim == 2 { 1024 } else { 256 };
        if !(8..=most).contains(&options.n) {
            return Err(UsageError::new(format!(
                "--n {}: expected 8 to {most}; a model serves all sizes",
                options.n
            )));
        }
        check_output_file("--out", &typed.out)?;
        Ok(Self { options, out: typed.out })
    }
}
