//! The day that a model was made.

/// The day, as YYYY-MM-DD (Gregorian, after Fliegel and Van Flandern's arithmetic on days).
pub(crate) fn date(now: std::time::SystemTime) -> String {
    let seconds = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + 400 * era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_have_dates() {
        let at = |days: u64| date(std::time::UNIX_EPOCH + Duration::from_secs(86_400 * days));
        assert_eq!(
            (at(0), at(19_782), at(20_000)),
            ("1970-01-01".into(), "2024-02-29".into(), "2024-10-04".into())
        );
    }
}
