//! How places, shares, times and sizes are worded, with and without the names of hosts; filters and command lines.

use std::net::IpAddr;

use crate::address::{Address, Endpoint};
use crate::figures::Figures;
use crate::options::Context;

/// No percentage is given of a smaller base.
const BASE_OF_PERCENT: u64 = 20;

/// Figures and context, and how to speak of them.
pub(crate) struct Words<'a> {
    pub figures: &'a Figures,
    pub context: &'a Context,
}

/// A phrase with the names of hosts, and without.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub full: String,
    pub plain: String,
}

impl<'a> Words<'a> {
    pub fn new(figures: &'a Figures, context: &'a Context) -> Words<'a> {
        Words { figures, context }
    }

    /// An address: the VM, a part of Azure, or itself.
    pub fn host(&self, address: Address) -> Phrase {
        if self.figures.is_vm(address) {
            return same("the VM");
        }
        let full = match address.azure_name() {
            Some(name) => format!("{address} ({name})"),
            None => address.to_string(),
        };
        Phrase {
            full,
            plain: "one address".into(),
        }
    }

    /// A server's address and port.
    pub fn endpoint(&self, endpoint: Endpoint) -> Phrase {
        if self.figures.is_vm(endpoint.address) {
            return same(&format!("port {} of the VM", endpoint.port));
        }
        let full = match endpoint.address.azure_name() {
            Some(name) => format!("{endpoint} ({name})"),
            None => endpoint.to_string(),
        };
        Phrase {
            full,
            plain: format!("port {} of one address", endpoint.port),
        }
    }

    /// One end of streams with a server: the server with its port, the client without one.
    pub fn end(&self, address: Address, server: Endpoint) -> Phrase {
        if address == server.address {
            self.endpoint(server)
        } else {
            self.host(address)
        }
    }

    /// A command line that lists the packets of a filter.
    pub fn list(&self, filter: &str) -> String {
        let file = self.file_name();
        if filter.is_empty() {
            format!("tshark -r {file}")
        } else {
            format!("tshark -r {file} -Y '{filter}'")
        }
    }

    /// The file's name where a shell takes it as it is.
    fn file_name(&self) -> &str {
        let name = self.context.name.as_str();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let usable = !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain);
        if usable { name } else { "FILE.cap" }
    }
}

fn same(text: &str) -> Phrase {
    Phrase {
        full: text.into(),
        plain: text.into(),
    }
}

/// `198 of 214`, with a percentage if the base allows one.
pub(crate) fn share(count: u64, base: u64) -> String {
    if base < BASE_OF_PERCENT {
        return format!("{} of {}", number(count), number(base));
    }
    let percent = match count as f64 * 100.0 / base as f64 {
        // Neither none nor all is claimed by rounding.
        value if value > 0.0 && value < 1.0 => "under 1".to_owned(),
        value if value > 99.0 && count < base => "over 99".to_owned(),
        value => format!("{value:.0}"),
    };
    format!("{} of {} ({percent} %)", number(count), number(base))
}

/// Digits in groups of three.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 packet`, `2 packets`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A time with the unit that fits.
pub(crate) fn time(nanoseconds: i64) -> String {
    let value = nanoseconds as f64;
    match nanoseconds {
        i64::MIN..1_000_000 => format!("{:.2} ms", value / 1e6),
        1_000_000..10_000_000 => format!("{:.1} ms", value / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} ms", value / 1e6),
        1_000_000_000..100_000_000_000 => format!("{:.1} s", value / 1e9),
        100_000_000_000..7_200_000_000_000 => format!("{:.0} s", value / 1e9),
        7_200_000_000_000..172_800_000_000_000 => format!("{:.1} h", value / 3.6e12),
        _ => format!("{:.0} days", value / 8.64e13),
    }
}

/// A size with the unit that fits.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1_024 => counted(count, "byte", "bytes"),
        1_024..1_048_576 => format!("{:.1} KiB", count as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", count as f64 / 1_073_741_824.0),
    }
}

/// `ip.dst==10.0.0.4`, or with `ipv6`.
pub(crate) fn address_filter(side: &str, address: Address) -> String {
    match address.ip() {
        IpAddr::V4(address) => format!("ip.{side}=={address}"),
        IpAddr::V6(address) => format!("ipv6.{side}=={address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_a_percentage_from_a_base_of_20_on_and_never_round_to_all_or_none() {
        for (count, base, expected) in [
            (3, 19, "3 of 19"),
            (5, 20, "5 of 20 (25 %)"),
            (1, 5_000, "1 of 5,000 (under 1 %)"),
            (4_999, 5_000, "4,999 of 5,000 (over 99 %)"),
            (5_000, 5_000, "5,000 of 5,000 (100 %)"),
            (0, 30, "0 of 30 (0 %)"),
        ] {
            assert_eq!(share(count, base), expected);
        }
    }

    #[test]
    fn values_have_the_unit_that_fits() {
        for (nanoseconds, expected) in [
            (0, "0.00 ms"),
            (380_000, "0.38 ms"),
            (8_050_000, "8.1 ms"),
            (212_000_000, "212 ms"),
            (10_240_000_000, "10.2 s"),
            (240_000_000_000, "240 s"),
            (18_000_000_000_000, "5.0 h"),
            (i64::MAX, "106752 days"),
        ] {
            assert_eq!(time(nanoseconds), expected);
        }
        assert_eq!(
            (number(0), number(1_234_567)),
            ("0".into(), "1,234,567".into())
        );
        assert_eq!(
            (bytes(1), bytes(1_536), bytes(4 << 30)),
            ("1 byte".into(), "1.5 KiB".into(), "4.0 GiB".into())
        );
    }
}
