//! From when on a figure stands out. The numbers are this project's: low enough for a fault that users complain about, high
//! enough that ordinary traffic stays quiet. They are printed with every report.

use super::Kind;

/// Attempts at one endpoint that failed: their number, and their share of all to that endpoint.
pub(super) const FAILED_ATTEMPTS: u64 = 3;
pub(super) const FAILED_PERCENT: u64 = 10;
/// Attempts that failed in all, if no endpoint has as many.
pub(super) const FAILED_IN_ALL: u64 = 5;

/// Endpoints that failed for one source.
pub(super) const SCANNED_ENDPOINTS: usize = 20;

/// Open streams that were reset by one sender, and their share of all open streams.
pub(super) const RESETS: u64 = 3;
pub(super) const RESET_PERCENT: u64 = 5;

/// DNS queries of one server that failed, and their share.
pub(super) const DNS_FAILED: u64 = 3;
pub(super) const DNS_FAILED_PERCENT: u64 = 5;
/// Answers that a name does not exist are ordinary (search suffixes) unless they are most.
pub(super) const DNS_NO_NAME: u64 = 20;
pub(super) const DNS_NO_NAME_PERCENT: u64 = 50;
/// The 95th percentile of answer times in nanoseconds.
pub(super) const DNS_SLOW: i64 = 500_000_000;

/// Data packets sent again in one direction: many and a small share, or fewer and a large one.
pub(super) const SENT_AGAIN: [(u64, u64); 2] = [(10, 2), (5, 20)];

/// A window that stayed closed this long in nanoseconds, or that closed this often.
pub(super) const CLOSED_FOR: i64 = 200_000_000;
pub(super) const CLOSED_TIMES: u64 = 10;
/// Packets that filled a window.
pub(super) const WINDOW_FULL: u64 = 20;

/// Handshakes with one endpoint, and their mean in nanoseconds.
pub(super) const ROUND_TRIPS: u64 = 3;
pub(super) const ROUND_TRIP: i64 = 200_000_000;

/// One conversation's share of all bytes, and the packets and conversations that the file must have.
pub(super) const TALKER_PERCENT: u64 = 50;
pub(super) const TALKER_PACKETS: u64 = 1_000;
pub(super) const TALKER_CONVERSATIONS: usize = 4;

/// The busiest second as a multiple of the mean, its packets, and the seconds that the file must have.
pub(super) const BURST_TIMES: u64 = 5;
pub(super) const BURST_PACKETS: u64 = 500;
pub(super) const BURST_SECONDS: u64 = 10;

/// Fatal TLS alerts; fewer if they are half of the handshakes.
pub(super) const TLS_ALERTS: u64 = 3;

/// HTTP responses of 500 and above from one server.
pub(super) const HTTP_FAILING: u64 = 3;

/// ICMP errors about one destination; addresses without ARP reply.
pub(super) const ICMP_ERRORS: u64 = 3;
pub(super) const ICMP_ERRORS_IN_ALL: u64 = 10;
pub(super) const ARP_SILENT: u64 = 5;

/// Doubles and packets cut by the snap length: their share of all.
pub(super) const DOUBLES: u64 = 5;
pub(super) const DOUBLE_PERCENT: u64 = 1;

/// Time from the alert to the first packet, in nanoseconds. A capture begins some time after the alert that started it.
pub(super) const ALERT_BEFORE: i64 = 300_000_000_000;

/// The same in words, for the report.
pub(super) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::File => {
            "no packets, an incomplete or damaged file, one direction only, 5 packets and 1 % twice, missing or cut packets, packets that end within a header, half of the time asked for, the alert after the last packet or 300 s before the first"
        }
        Kind::NoAnswer | Kind::Refused => {
            "3 attempts at one endpoint and 10 % of them, 5 in all and 10 %, or all attempts of the file"
        }
        Kind::Scan => "20 endpoints without success for one source, and more than were answered",
        Kind::Reset => "3 streams by one sender and 5 % of the open streams, or all of them",
        Kind::Dns => {
            "3 queries of one server unanswered or failed and 5 % of them; 20 names that do not exist and half of the answers; 95th percentile of 500 ms"
        }
        Kind::Retransmission => "10 data packets and 2 % of one direction, or 5 and 20 %",
        Kind::ReceiverFull => {
            "a window closed for 200 ms, to the end of its stream, or 10 times; filled 20 times"
        }
        Kind::RoundTrip => "a mean of 200 ms over 3 handshakes with one endpoint",
        Kind::Talker => "50 % of all bytes, with 1,000 packets and 4 conversations in the file",
        Kind::Burst => {
            "5 times the mean and 500 packets, in a file of 10 s or more; always if the alert counted packets"
        }
        Kind::Tls => "3 fatal alerts, or half as many as ClientHellos",
        Kind::Http => "3 responses of 500 and above from one server",
        Kind::Network => {
            "3 ICMP errors about one destination or 10 in all, any that says a packet is too large, 5 addresses without ARP reply"
        }
    }
}

/// Whether `count` is at least `percent` of `base`.
pub(super) fn is_share(count: u64, base: u64, percent: u64) -> bool {
    count.saturating_mul(100) >= base.saturating_mul(percent)
}
