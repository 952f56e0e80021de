//! Kernels compiled for wider vectors where the machine has them.

/// Runs `$body` compiled for AVX2 where the machine has it; the arithmetic is the same.
macro_rules! with_wide_vectors {
    ($body:expr) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn wide(body: impl FnOnce()) {
                body();
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the feature was just detected.
                unsafe { wide(|| $body) };
            } else {
                $body
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        $body
    }};
}

pub(in super::super) use with_wide_vectors;
