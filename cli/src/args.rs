//! What was typed. Nothing is checked here beyond what the parser can see; [`plan`](crate::plan) does the rest.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueHint};
use residua_data::poisson::PoissonKind;
use residua_solvers::constrained::{KktMethod, SketchKind};
use residua_solvers::transport::{Ground, TransportMethod};
use residua_solvers::{Method, PrecondKind};
use std::ffi::OsString;
use std::path::PathBuf;

/// Solves sparse linear systems A x = b, and verifies every answer by its true residual.
#[derive(Debug, Parser)]
#[command(name = "residua", bin_name = "residua", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 every case converged; 1 at least one did not, or could not be read or \
written; 2 wrong usage; 130 Ctrl-C.\n\nExample:\n  residua solve matrices/ --json --out results"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output and machine")]
pub(crate) struct Common {
    /// Write one JSON object a case to standard output, as soon as the case ends
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Number of threads [default: all cores]; the results do not depend on it
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Seed of everything random
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write a self-contained page: table, convergence plots, how to repeat the run
    #[arg(long, global = true, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Solve A x = b for Matrix Market files
    #[command(after_help = SOLVE_EXAMPLES)]
    Solve(SolveArgs),
    /// Say what a matrix is like, and which method suits it
    #[command(after_help = "Example:\n  residua info matrix.mtx\n  residua info --json matrices/")]
    Info(InfoArgs),
    /// Run the Poisson benchmark: model problems, many solvers, machine-independent cost
    #[command(after_help = POISSON_EXAMPLES)]
    Poisson(PoissonArgs),
    /// Solve a sequence of systems, learning which configuration is the fastest
    #[command(after_help = SEQUENCE_EXAMPLES)]
    Sequence(SequenceArgs),
    /// Move weights onto others at least cost: entropic optimal transport
    #[command(after_help = TRANSPORT_EXAMPLES)]
    Transport(TransportArgs),
    /// Minimise a function subject to constraints: .nl files of AMPL, Pyomo and JuMP, or built-in problems
    #[command(after_help = MINIMIZE_EXAMPLES)]
    Minimize(MinimizeArgs),
    /// Make a learned preconditioner for a family of Poisson problems
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(TrainArgs),
    /// Write a completion script for a shell
    #[command(after_help = "Example:\n  residua completions bash > /etc/bash_completion.d/residua\n  \
residua completions zsh > ~/.zfunc/_residua")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

const SOLVE_EXAMPLES: &str = "\
Files: NAME_b.mtx or NAME_rhs1.mtx beside NAME.mtx is its right-hand side, NAME_x.mtx its solution; they are \
no cases of their own. In --out DIR a file given by its path writes DIR/NAME_x.mtx; a file found in a folder \
keeps its sub-folder; a name already taken gets _2, _3, ...

Examples:
  residua solve matrix.mtx
  residua solve matrix.mtx --method cg --precond ic0 --rtol 1e-10
  residua solve matrices/ --json --out results --report report.html
  residua solve matrices/ --json --out results --resume
  zcat matrix.mtx.gz | residua solve - --rhs ones --json";

const POISSON_EXAMPLES: &str = "\
Examples:
  residua poisson --dim 2 --n 64,128 --solver cg,cg+jacobi,cg+ic0
  residua poisson --dim 3 --n 32 --problem jump --contrast 1e4 --solver all --json
  residua poisson --dim 3 --n 16,32,64 --solver cg+jacobi,cg+ic0,direct --report scaling.html
  residua poisson --n 32 --save-matrix systems";

const TRAIN_EXAMPLES: &str = "\
Needs nothing but this program: problems are drawn from the seed, an evolution strategy searches for the coefficients of a \
multigrid cycle. The file is an ONNX graph of the whole cycle, with the coefficients and, as metadata, grid dimension, \
spacing, training matrix, date, seed and loss history. With --geometries it is trained on problems of your own, in the order of \
their names; every fifth is held out and tells in the report what the model is worth. A mask has u = 0 behind its first and \
last column and walls elsewhere, as the problem obstacles.

Examples:
  residua train --dim 2 --out poisson2d.onnx
  residua train --dim 3 --out poisson3d.onnx --family obstacles,walls --generations 500 --seed 1
  residua train --geometries pipes/ --out pipes.onnx
  residua train --kind dcdm --batches 12000 --out dcdm2d.onnx
  residua poisson --problem walls --n 512 --solver fcg+learned,cg+amg --model poisson2d.onnx";

const SEQUENCE_EXAMPLES: &str = "\
A folder's systems are solved in the order of their names, each from zero; NAME_b.mtx or NAME_rhs1.mtx beside NAME.mtx is \
its right-hand side, else b = A·1. A simulation's systems follow from one another, each starts from the solution \
before.

Examples:
  residua sequence systems/ --method cg --state learned.json
  residua sequence --heat --n 50 --steps 5000 --selector cheb-cb --hindsight --report heat.html
  residua sequence --simulation flow --n 64 --steps 500 --method auto --cost seconds --json";

const TRANSPORT_EXAMPLES: &str = "\
The plan P minimises <C,P> + epsilon sum P (log P - 1) over P >= 0 with row sums a (source) and column sums b \
(target); P_ij = exp((f_i + g_j - C_ij)/epsilon). Files are .npy, .npz (FILE.npz:NAME for one array of several), \
text tables (.csv: commas, semicolons or blanks, with or without a line of names), .mtx or .png. Weights are one row \
or one column and have the same sum on both sides; a cost of inf forbids a pair. Points: one a line, in any \
dimension. Images: grey levels over their sum, pixel centres one unit apart, so that sqeuclidean costs are pixels \
squared; images may differ in size. The potentials' file has the arrays f, g and epsilon.

Examples:
  residua transport --source a.csv --target b.csv --cost C.npy --relative-epsilon 1e-3 --json
  residua transport --source-points x.csv --target-points y.csv --ground l2 --epsilon 0.01 --out-plan plan.mtx
  residua transport --images A.png B.png --ground sqeuclidean --report transport.html
  residua transport --images A.png B.png --out-potentials fg.npz --out-plan plan.mtx --round";

const MINIMIZE_EXAMPLES: &str = "\
NAME.nl writes its answer to NAME.sol beside it; the ending may be left out. -AMPL and words like key=value, which AMPL \
and Pyomo add, are passed over. Built-in families take a size or a file: sphere:100, control:64,
rocket:200, logistic:FILE.

Examples:
  residua minimize --list
  residua minimize HS71 HS100LNP --verbose
  residua minimize model.nl --json
  residua minimize control:64 --method gmres --report control.html
  residua minimize model.nl -AMPL";

/// What was typed, with what AMPL and Pyomo write in their own way: -AMPL, which says no more than `minimize` does, and -v
/// for the version.
pub(crate) fn as_typed(words: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let words: Vec<OsString> = words.collect();
    let is_minimize = words.get(1).is_some_and(|word| word == "minimize");
    let is_query = words.len() == 3;
    words.into_iter().filter(move |word| !is_minimize || word != "-AMPL").map(move |word| {
        if is_minimize && is_query && word == "-v" { OsString::from("--version") } else { word }
    })
}

/// A value that the library parses by name, with its choices in the help and in shell completions.
fn named<T>(choices: Vec<PossibleValue>) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err: std::fmt::Display> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(choices).try_map(|name| name.parse::<T>().map_err(|e| e.to_string()))
}

fn methods() -> Vec<PossibleValue> {
    Method::ALL.iter().map(|m| PossibleValue::new(m.as_str())).collect()
}

fn preconds() -> Vec<PossibleValue> {
    PrecondKind::ALL.iter().map(|p| PossibleValue::new(p.as_str())).collect()
}

fn problems() -> PossibleValuesParser {
    let help = |kind: PoissonKind| match kind {
        PoissonKind::Constant => "constant coefficients",
        PoissonKind::Anisotropic => "weak coupling along the last axis, by the contrast",
        PoissonKind::Jump => "a checkerboard of coefficients 1 and contrast",
        PoissonKind::Obstacles => "solid bodies in the way, placed by the seed",
        PoissonKind::Walls => "walls one point thick and slits, placed by the seed",
        PoissonKind::Maze => "a maze of walls one point thick, drawn by the seed",
        PoissonKind::Neumann => "no boundary value given: singular, consistent",
        PoissonKind::Convection => {
            "convection-diffusion, not symmetric; the contrast is the strength of the wind"
        }
        _ => "",
    };
    PossibleValuesParser::new(PoissonKind::ALL.map(|kind| PossibleValue::new(kind.name()).help(help(kind))))
}

#[derive(Debug, clap::Args)]
pub(crate) struct SolveArgs {
    /// `.mtx` or `.mtx.gz` files, folders (every such file in them, recursively), or - for standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Right-hand side: FILE (array, one or more columns), ones (b = 1), consistent (b = A·1), random
    /// [default: the sibling NAME_b.mtx or NAME_rhs1.mtx, else consistent]
    #[arg(long, value_name = "FILE|ones|consistent|random", value_hint = ValueHint::FilePath)]
    pub(crate) rhs: Option<PathBuf>,
    /// Method
    #[arg(long, default_value = "auto", value_parser = named::<Method>(methods()), value_name = "NAME")]
    pub(crate) method: Method,
    /// Preconditioner
    #[arg(long, default_value = "auto", value_parser = named::<PrecondKind>(preconds()), value_name = "NAME")]
    pub(crate) precond: PrecondKind,
    /// With --precond learned: a model that `residua train` made [default: the one that is built in]
    #[arg(long, value_name = "FILE.onnx", value_hint = ValueHint::FilePath)]
    pub(crate) model: Option<PathBuf>,
    /// Relaxation of SOR and SSOR, 0 < W < 2 [default: chosen by the method]
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    pub(crate) omega: Option<f64>,
    /// Vectors that GMRES keeps between restarts [default: chosen by the method]
    #[arg(long, value_name = "M")]
    pub(crate) restart: Option<usize>,
    /// Write NAME_x.mtx for each case and results.jsonl into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Skip the cases that results.jsonl in --out holds already: same path, same file size and time, same
    /// options. Their stored results are shown again; interrupted and unreadable cases are tried again
    #[arg(long, requires = "out")]
    pub(crate) resume: bool,
    /// With --json, add "history": the relative residual of every iteration
    #[arg(long)]
    pub(crate) monitor: bool,
    #[command(flatten)]
    pub(crate) stop: StopArgs,
}

/// When a solve stops: ‖b − A x‖₂ ≤ max(rtol ‖b‖₂, atol), or a limit.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "When to stop")]
pub(crate) struct StopArgs {
    /// Stop when the residual norm is at most R times that of b
    #[arg(long, value_name = "R", default_value = "1e-8", allow_hyphen_values = true)]
    pub(crate) rtol: f64,
    /// ... or at most A
    #[arg(long, value_name = "A", default_value = "0", allow_hyphen_values = true)]
    pub(crate) atol: f64,
    /// ... or after N iterations
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) max_iters: usize,
    /// ... or after this many seconds [default: no limit]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(crate) time_limit: Option<f64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InfoArgs {
    /// `.mtx` or `.mtx.gz` files, folders (every such file in them, recursively), or - for standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PoissonArgs {
    /// Dimension of the domain, 2 or 3
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    pub(crate) dim: u8,
    /// Unknowns per side, one or more sizes
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "64")]
    pub(crate) n: Vec<usize>,
    /// Which problem of the family
    #[arg(long, default_value = "constant", value_parser = problems(), value_name = "NAME")]
    pub(crate) problem: String,
    /// Strength of the anisotropy, the jump or the convection [default: by the problem]
    #[arg(long, value_name = "C", allow_hyphen_values = true)]
    pub(crate) contrast: Option<f64>,
    /// METHOD or METHOD+PRECOND, one or more; `all`: every one that makes sense, each for a
    /// minute at most unless --time-limit says otherwise; `auto`
    #[arg(long, value_name = "NAME,NAME,...", value_delimiter = ',', default_value = "auto")]
    pub(crate) solver: Vec<String>,
    /// For fcg+learned: a model that `residua train` made [default: the one that is built in]
    #[arg(long, value_name = "FILE.onnx", value_hint = ValueHint::FilePath)]
    pub(crate) model: Option<PathBuf>,
    /// Relaxation of SOR and SSOR, 0 < W < 2 [default: chosen by the method]
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    pub(crate) omega: Option<f64>,
    /// Solve K times and report the median of the times
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub(crate) repeat: usize,
    /// Write the systems into this folder as .mtx, with right-hand sides
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) save_matrix: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stop: StopArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// Dimension of the grids, 2 or 3
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    pub(crate) dim: u8,
    /// Where the model goes
    #[arg(long, required = true, value_name = "MODEL.onnx", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// What to train: coefficients of a multigrid cycle, or the network of deep conjugate directions (2D)
    #[arg(long, value_name = "KIND", default_value = "multigrid", value_parser = ["multigrid", "dcdm"])]
    pub(crate) kind: String,
    /// Problems to train on; blobs is another name of obstacles [default: obstacles,walls,maze,constant; with --geometries
    /// none; dcdm: constant]
    #[arg(long, value_name = "NAME,NAME,...", value_delimiter = ',')]
    pub(crate) family: Vec<String>,
    /// Folder of your own geometries: .mtx with grid metadata, .png and .npy masks (2D; bright or 1 is open)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) geometries: Option<PathBuf>,
    /// dcdm: batches of ten right-hand sides
    #[arg(long, value_name = "N", default_value_t = 6000)]
    pub(crate) batches: usize,
    /// Points per side; a model serves all sizes [default: 64 in 2D, 32 in 3D]
    #[arg(long, value_name = "N")]
    pub(crate) n: Option<usize>,
    /// Problems of each kind
    #[arg(long, value_name = "K", default_value_t = 3)]
    pub(crate) cases: usize,
    /// Candidates to try
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) generations: usize,
    /// Stop after this many seconds all the same; results then depend on the machine
    #[arg(long, value_name = "SECONDS")]
    pub(crate) budget_seconds: Option<f64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SequenceArgs {
    /// Folder of `.mtx` and `.mtx.gz` files
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, required_unless_present_any = ["heat", "simulation"], conflicts_with_all = ["heat", "simulation"])]
    pub(crate) dir: Option<PathBuf>,
    /// The heat equation with a coefficient that changes with time: the same as --simulation heat
    #[arg(long, conflicts_with = "simulation")]
    pub(crate) heat: bool,
    /// A built-in simulation
    #[arg(long, value_name = "NAME", value_parser = ["heat", "flow", "jump", "shifts-low", "shifts-high"])]
    pub(crate) simulation: Option<String>,
    /// Grid of the simulation: intervals per side (heat, jump), cells (flow), unknowns (shifts)
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) n: usize,
    /// Systems of the simulation
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) steps: usize,
    /// What is solved with: SOR; CG with SSOR, both with ω chosen from a grid; auto: whole configurations
    #[arg(long, default_value = "cg", value_name = "NAME", value_parser = ["sor", "cg", "auto"])]
    pub(crate) method: String,
    /// What chooses: tsallis-inf, cheb-cb (as published), cheb-cb-r (ridge on log cost), uniform, fixed:W (with --method auto fixed:NAME, such as fixed:cg+amg), oracle (tries
    /// all and counts the best), model (ω from the theory of Young and of Hageman and Young, one number taken from the first system), auto
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) selector: String,
    /// Values of ω, evenly from 1 to 1.95
    #[arg(long, value_name = "K", default_value_t = 20)]
    pub(crate) grid: usize,
    /// What the choice looks at: trace (mean diagonal), shift (least dominance of a row), or a file with a line of
    /// comma-separated numbers a system [default: what the simulation knows; trace for a folder]
    #[arg(long, value_name = "trace|shift|FILE.csv", value_hint = ValueHint::FilePath)]
    pub(crate) context: Option<PathBuf>,
    /// What was learned, loaded if it exists and saved after every system
    #[arg(long, value_name = "FILE.json", value_hint = ValueHint::FilePath)]
    pub(crate) state: Option<PathBuf>,
    /// What is to be small [default: iterations; seconds with --method auto]
    #[arg(long, value_name = "NAME", value_parser = ["iterations", "seconds"])]
    pub(crate) cost: Option<String>,
    /// Solve each system with every configuration too, for the best in hindsight
    #[arg(long)]
    pub(crate) hindsight: bool,
    #[command(flatten)]
    pub(crate) stop: StopArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TransportArgs {
    /// Weights of the source [default with points: uniform]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) source: Option<PathBuf>,
    /// Weights of the target [default with points: uniform]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) target: Option<PathBuf>,
    /// Cost of each pair: as many rows as source weights, as many columns as target weights
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["source_points", "target_points", "ground"])]
    pub(crate) cost: Option<PathBuf>,
    /// Points of the source, one a row
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "target_points")]
    pub(crate) source_points: Option<PathBuf>,
    /// Points of the target, one a row
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "source_points")]
    pub(crate) target_points: Option<PathBuf>,
    /// Two images (or matrices) whose grey levels are the weights
    #[arg(long, value_names = ["A", "B"], num_args = 2, value_hint = ValueHint::FilePath, conflicts_with_all = ["source", "target", "cost", "source_points", "target_points"])]
    pub(crate) images: Vec<PathBuf>,
    /// Cost between points or pixels [default: sqeuclidean]
    #[arg(long, value_name = "NAME", value_parser = named::<Ground>(grounds()))]
    pub(crate) ground: Option<Ground>,
    /// Regularisation, in the units of the cost
    #[arg(long, value_name = "E", allow_hyphen_values = true, conflicts_with = "relative_epsilon")]
    pub(crate) epsilon: Option<f64>,
    /// ... or as a share of the largest cost [default: 1e-3]
    #[arg(long, value_name = "R", allow_hyphen_values = true)]
    pub(crate) relative_epsilon: Option<f64>,
    /// Method; sns is Sinkhorn-Newton-Sparse as published
    #[arg(long, default_value = "auto", value_parser = named::<TransportMethod>(transport_methods()), value_name = "NAME")]
    pub(crate) method: TransportMethod,
    /// Write the plan as a sparse .mtx matrix
    #[arg(long, value_name = "FILE.mtx", value_hint = ValueHint::FilePath)]
    pub(crate) out_plan: Option<PathBuf>,
    /// Leave out entries of the plan up to T [default: so small that they sum to a tenth of --tol at most]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) plan_threshold: Option<f64>,
    /// Write the potentials
    #[arg(long, value_name = "FILE.npz", value_hint = ValueHint::FilePath)]
    pub(crate) out_potentials: Option<PathBuf>,
    /// Round the plan to exact marginals, and give its cost as well
    #[arg(long)]
    pub(crate) round: bool,
    /// Stop when the marginal error |P 1 - a| + |P' 1 - b| (sums of absolute values) is at most T
    #[arg(
        long,
        value_name = "T",
        default_value = "1e-8",
        allow_hyphen_values = true,
        help_heading = "When to stop"
    )]
    pub(crate) tol: f64,
    /// ... or after N iterations, sweeps and Newton steps together [default: 5000; 100000 for sinkhorn]
    #[arg(long, value_name = "N", help_heading = "When to stop")]
    pub(crate) max_iters: Option<usize>,
    /// ... or after this many seconds [default: no limit]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, help_heading = "When to stop")]
    pub(crate) time_limit: Option<f64>,
}

fn grounds() -> Vec<PossibleValue> {
    Ground::ALL.iter().map(|g| PossibleValue::new(g.as_str())).collect()
}

fn transport_methods() -> Vec<PossibleValue> {
    TransportMethod::ALL.iter().map(|m| PossibleValue::new(m.as_str())).collect()
}

#[derive(Debug, clap::Args)]
pub(crate) struct MinimizeArgs {
    /// `.nl` files, or names of built-in problems
    #[arg(required_unless_present = "list", value_name = "PROBLEM", value_hint = ValueHint::AnyPath)]
    pub(crate) problems: Vec<String>,
    /// Show the built-in problems
    #[arg(long)]
    pub(crate) list: bool,
    /// What solves the KKT systems
    #[arg(long, default_value = "auto", value_parser = named::<KktMethod>(kkt_methods()), value_name = "NAME")]
    pub(crate) method: KktMethod,
    /// What the sketched method draws
    #[arg(long, default_value = SketchKind::default().as_str(), value_parser = named::<SketchKind>(sketches()), value_name = "NAME")]
    pub(crate) sketch: SketchKind,
    /// A log line an iteration on standard error
    #[arg(long, alias = "log")]
    pub(crate) verbose: bool,
    /// Stop at a KKT residual of R
    #[arg(
        long,
        value_name = "R",
        default_value = "1e-6",
        allow_hyphen_values = true,
        help_heading = "When to stop"
    )]
    pub(crate) tol: f64,
    /// ... or after N iterations
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "When to stop")]
    pub(crate) max_iters: usize,
    /// ... or after this many seconds [default: no limit]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, help_heading = "When to stop")]
    pub(crate) time_limit: Option<f64>,
}

fn kkt_methods() -> Vec<PossibleValue> {
    KktMethod::ALL.iter().map(|m| PossibleValue::new(m.as_str())).collect()
}

fn sketches() -> Vec<PossibleValue> {
    SketchKind::ALL.iter().map(|k| PossibleValue::new(k.as_str())).collect()
}
