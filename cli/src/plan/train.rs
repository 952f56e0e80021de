//! `residua train`, checked.

use super::{UsageError, check_output_file};
use crate::args::TrainArgs;
use residua_data::poisson::PoissonKind;
use residua_learned::dcdm::DcdmOptions;
use residua_learned::train::TrainOptions;
use std::path::PathBuf;
use std::time::Duration;

/// What `residua train` has to do.
#[derive(Debug)]
pub(crate) struct TrainPlan {
    pub(crate) kind: TrainKind,
    pub(crate) out: PathBuf,
}

/// What is trained.
#[derive(Debug)]
pub(crate) enum TrainKind {
    /// A multigrid cycle; beside the family of the options on the geometries of a folder.
    Multigrid(TrainOptions, Option<PathBuf>),
    /// A network.
    Dcdm(DcdmOptions),
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
        let family: Vec<PoissonKind> = typed.family.iter().map(kind).collect::<Result<_, _>>()?;
        let budget = match typed.budget_seconds {
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
        check_output_file("--out", &typed.out)?;
        if typed.kind == "dcdm" {
            return Self::dcdm(typed, family, budget, seed);
        }
        let mut options = TrainOptions::new(usize::from(typed.dim));
        if !family.is_empty() || typed.geometries.is_some() {
            options.family = family;
        }
        (options.cases, options.generations, options.seed) = (typed.cases, typed.generations, seed);
        options.n = typed.n.unwrap_or(options.n);
        options.budget = budget;
        let most = if typed.dim == 2 { 1024 } else { 256 };
        if !(8..=most).contains(&options.n) {
            return Err(UsageError::new(format!(
                "--n {}: expected 8 to {most}; a model serves all sizes",
                options.n
            )));
        }
        if let Some(folder) = typed.geometries.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(UsageError::new(format!("--geometries {}: expected a folder", folder.display())));
        }
        Ok(Self { kind: TrainKind::Multigrid(options, typed.geometries), out: typed.out })
    }

    fn dcdm(
        typed: TrainArgs,
        family: Vec<PoissonKind>,
        budget: Option<Duration>,
        seed: u64,
    ) -> Result<Self, UsageError> {
        if typed.dim != 2 || typed.geometries.is_some() {
            return Err(UsageError::new("--kind dcdm: expected --dim 2 and no --geometries"));
        }
        let mut options = DcdmOptions { batches: typed.batches, budget, seed, ..DcdmOptions::default() };
        if !family.is_empty() {
            (options.family, options.cases) = (family, typed.cases);
        }
        options.n = typed.n.unwrap_or(options.n);
        if !(8..=512).contains(&options.n) || !options.n.is_multiple_of(2) {
            return Err(UsageError::new(format!("--n {}: expected an even number, 8 to 512", options.n)));
        }
        if options.family.contains(&PoissonKind::Neumann) {
            return Err(UsageError::new(
                "--family neumann: expected positive definite problems with --kind dcdm",
            ));
        }
        Ok(Self { kind: TrainKind::Dcdm(options), out: typed.out })
    }
}
