//! HTTP/1 in clear, by the first line at the start of a segment.

use crate::address::Endpoint;
use crate::frame::Segment;
use crate::tally::Tally;

const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE",
];
/// Maximum number of bytes in which the version of a request line is searched for.
const FIRST_LINE: usize = 2_048;

pub(crate) struct Http {
    pub status: Tally<u16>,
    pub methods: Tally<&'static str>,
    /// Responses of 500 and above, by server.
    pub failing: Tally<Endpoint>,
}

impl Http {
    pub fn new(limit: usize) -> Http {
        Http {
            status: Tally::new(1_000),
            methods: Tally::new(64),
            failing: Tally::new((limit / 8).max(16)),
        }
    }

    pub fn segment(&mut self, segment: &Segment<'_>) {
        let payload = segment.payload;
        if payload.first() == Some(&b'H')
            && let Some(code) = status(payload)
        {
            self.status.add(code, 1);
            if code >= 500 {
                self.failing.add(segment.from, 1);
            }
        } else if payload.first().is_some_and(u8::is_ascii_uppercase)
            && let Some(method) = method(payload)
        {
            self.methods.add(method, 1);
        }
    }
}

/// The code of `HTTP/1.1 200 OK`.
fn status(payload: &[u8]) -> Option<u16> {
    let rest = payload.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', digits @ ..] = rest else {
        return None;
    };
    let digits = digits
        .first_chunk::<3>()
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let code = digits
        .iter()
        .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    (100..600).contains(&code).then_some(code)
}

/// The method of `GET /path HTTP/1.1`.
fn method(payload: &[u8]) -> Option<&'static str> {
    let method = METHODS.into_iter().find(|method| {
        payload
            .strip_prefix(method.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&b' '))
    })?;
    let line = payload[..payload.len().min(FIRST_LINE)]
        .split(|byte| *byte == b'\n')
        .next()?;
    line.windows(8)
        .any(|part| part.starts_with(b" HTTP/1."))
        .then_some(method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_lines_of_http_1_count() {
        let cases: [(&[u8], Option<u16>, Option<&str>); 8] = [
            (b"HTTP/1.1 200 OK\r\n", Some(200), None),
            (b"HTTP/1.0 503 Service Unavailable", Some(503), None),
            (b"HTTP/1.1 20", None, None),
            (b"HTTP/1.1 999 ", None, None),
            (b"HTTP/2 200", None, None),
            (b"GET /a HTTP/1.1\r\nHost: b\r\n", None, Some("GET")),
            (b"GET /a\r\nHTTP/1.1", None, None),
            (b"GETTING up HTTP/1.1", None, None),
        ];
        for (payload, code, verb) in cases {
            assert_eq!(
                (status(payload), method(payload)),
                (code, verb),
                "{}",
                payload.escape_ascii()
            );
        }
    }
}
