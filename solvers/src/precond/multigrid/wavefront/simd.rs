//! Kernels compiled for wider vectors where the machine has them.

/// A loop nest whose `run`, inlined as all that it calls, is compiled once for each kind of machine.
pub(in super::super) trait Kernel {
    /// Does it.
    fn run(self);
}

/// Runs `kernel` as compiled for AVX2 where the machine has it; the arithmetic is the same.
///
/// A closure would not do: the compiler inlines only small ones, and what is not inlined stays as it was.
#[inline(always)]
pub(in super::super) fn run_wide<K: Kernel>(kernel: K) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide<K: Kernel>(kernel: K) {
            kernel.run();
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was just detected.
            return unsafe { wide(kernel) };
        }
    }
    kernel.run();
}
