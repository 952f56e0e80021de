//! What a policy is told of the problem at hand.

/// The problem at hand: a discrete key and a few real features.
///
/// The key separates problems that share nothing (another field, another matrix structure); only
/// [`PerKey`](crate::PerKey) looks at it. The features describe one problem of many that are alike (a shift, a
/// time step); their number and meaning are the caller's, and a policy without context ignores them.
///
/// ```
/// # use residua_bandit::Context;
/// let context = Context::of(&[0.3]).with_key(7);
/// assert_eq!((context.key, context.features), (7, &[0.3][..]));
/// assert_eq!(Context::NONE, Context::of(&[]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context<'a> {
    /// Which family of problems, 0 where there is but one.
    pub key: u64,
    /// The features, in the order fixed by the caller.
    pub features: &'a [f64],
}

impl<'a> Context<'a> {
    /// Nothing known.
    pub const NONE: Context<'static> = Context { key: 0, features: &[] };

    /// The context with these features and key 0.
    pub fn of(features: &'a [f64]) -> Self {
        Self { key: 0, features }
    }

    /// The same features under `key`.
    #[must_use]
    pub fn with_key(self, key: u64) -> Self {
        Self { key, ..self }
    }
}
