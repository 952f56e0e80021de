//! What can be wrong with a transport problem, and what to do about it.

/// Why a transport problem was refused. Sides are "source" (rows) and "target" (columns).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Two lengths that must agree do not.
    #[error("{what} has {found} entries, expected {expected}")]
    Size {
        /// Which array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// There is nothing to transport.
    #[error("{what} is empty: at least one entry is needed")]
    Empty {
        /// Which array.
        what: &'static str,
    },
    /// A weight is negative, NaN or infinite.
    #[error("{side} weight {index} is {value}: weights must be finite and not negative")]
    Weight {
        /// Which side.
        side: &'static str,
        /// Position, from 0.
        index: usize,
        /// The weight.
        value: f64,
    },
    /// All weights of one side are zero, or their sum overflows.
    #[error("the {side} weights sum to {sum}: the sum must be positive and finite")]
    Mass {
        /// Which side.
        side: &'static str,
        /// Their sum.
        sum: f64,
    },
    /// The two sides do not weigh the same.
    #[error(
        "the source weights sum to {source_mass} and the target weights to {target_mass}: balanced transport \
         needs equal sums (to 1e-9 relative); divide each side by its sum, or use unbalanced transport"
    )]
    UnequalMass {
        /// Sum of the source weights.
        source_mass: f64,
        /// Sum of the target weights.
        target_mass: f64,
    },
    /// A cost is NaN or −∞.
    #[error("the cost of pair ({row}, {col}) is {value}: costs must be finite, or +inf for a forbidden pair")]
    Cost {
        /// Source index.
        row: usize,
        /// Target index.
        col: usize,
        /// The cost.
        value: f64,
    },
    /// No pair is allowed at all.
    #[error("every pair has an infinite cost: nothing can be transported")]
    NoFiniteCost,
    /// A coordinate is NaN or infinite.
    #[error("coordinate {axis} of point {point} is {value}: coordinates must be finite")]
    Coordinate {
        /// Index of the point.
        point: usize,
        /// Which coordinate.
        axis: usize,
        /// Its value.
        value: f64,
    },
    /// The points of the two clouds live in different spaces.
    #[error("the source points have dimension {source_dim}, the target points {target_dim}: they must agree")]
    Dimension {
        /// Dimension of the source points.
        source_dim: usize,
        /// Dimension of the target points.
        target_dim: usize,
    },
    /// An option is out of its range.
    #[error("{name} is {value}: {expected}")]
    Option {
        /// Name of the option.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// The regularisation is below what double precision can hold.
    #[error(
        "epsilon {epsilon} is too small for double precision: with costs up to {max_cost} the least usable value is \
         {limit} ({MIN_RELATIVE_EPSILON:e} of the largest cost); for the unregularised problem use a network simplex"
    )]
    EpsilonTooSmall {
        /// The absolute epsilon asked for.
        epsilon: f64,
        /// The largest finite cost.
        max_cost: f64,
        /// The least epsilon accepted.
        limit: f64,
    },
    /// A text names no known value.
    #[error("unknown {what} \"{found}\": expected one of {expected}")]
    Unknown {
        /// What was read.
        what: &'static str,
        /// The text.
        found: String,
        /// The known names.
        expected: &'static str,
    },
    /// A starting potential or another caller's vector holds NaN or an infinity.
    #[error("{what} entry {index} is not finite")]
    NonFinite {
        /// Which vector.
        what: &'static str,
        /// Position.
        index: usize,
    },
    /// The plan cannot be stored with 32-bit indices.
    #[error(
        "the plan has {entries} entries above the threshold, more than a sparse matrix can hold: raise the threshold"
    )]
    PlanTooLarge {
        /// Entries above the threshold.
        entries: usize,
    },
}

/// The least epsilon, as a share of the largest cost. Potentials divided by epsilon are of size 1/this, and
/// carry the rounding error 1e-16 / this into every exponent: at 1e-8 the marginals
/// are good to 1e-8 or 2e-8, so that below 1e-7 the default tolerance may be out of reach.
pub const MIN_RELATIVE_EPSILON: f64 = 1e-8;
