//! The `Retry-After` header, which Resource Manager and the receivers of notifications send alike.

use std::time::{Duration, SystemTime};

/// The longest wait that is believed. It also keeps the value out of the range where date arithmetic overflows.
const MAXIMUM: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the header's value: seconds or an HTTP date (RFC 9110, 10.2.3). A date in the past is no wait, a huge number
/// is the longest one.
pub fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(MAXIMUM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_seconds_or_a_date() {
        const DAY: u64 = 24 * 60 * 60;
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, expected) in [
            ("10", Some(10)),
            (" 0 ", Some(0)),
            ("9223372036854775808", Some(DAY)),
            ("99999999999999999999999999", Some(DAY)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
            ("soon", None),
            ("", None),
            ("-1", None),
            ("1.5", None),
        ] {
            let wait = parse(value, now);
            assert_eq!(wait, expected.map(Duration::from_secs), "{value}");
        }
    }
}
