//! Is the file what was asked for: complete, with both directions, each packet once, and with the alert's moment.

use super::thresholds::{ALERT_BEFORE, DOUBLE_PERCENT, DOUBLES, is_share};
use super::{Finding, Kind};
use crate::container::{Ending, Kind as FileKind};
use crate::frame::Unread;
use crate::unread::NotLookedInto;
use crate::words::{Words, bytes, counted, number, share, time};

/// Lists the packets of which the file has a part only.
const CUT: &str = "frame.cap_len < frame.len";

/// A fact about the file that stands out.
struct Fact {
    sentence: String,
    count: u64,
    base: Option<u64>,
    filter: &'static str,
    check_next: &'static [&'static str],
}

impl Fact {
    fn new(sentence: String, check_next: &'static [&'static str]) -> Fact {
        Fact {
            sentence,
            count: 0,
            base: None,
            filter: "",
            check_next,
        }
    }

    fn count(self, count: u64) -> Fact {
        Fact { count, ..self }
    }

    fn of(self, base: u64) -> Fact {
        let base = Some(base);
        Fact { base, ..self }
    }

    fn listed_by(self, filter: &'static str) -> Fact {
        Fact { filter, ..self }
    }
}

pub(super) fn findings(words: &Words<'_>, left_out: &NotLookedInto) -> Vec<Finding> {
    let mut facts = Vec::new();
    facts.extend(content(words));
    if words.figures.packets > 0 {
        facts.extend(read_in_part(words));
        facts.extend(moment(words));
        facts.extend(limits(words));
        facts.extend(packets(words, left_out));
    }
    let finding = |fact: Fact| {
        words
            .finding(
                Kind::File,
                (fact.count, fact.base),
                None,
                fact.filter.into(),
                |_| fact.sentence.clone(),
            )
            .with_checks(fact.check_next)
    };
    facts.into_iter().map(finding).collect()
}

/// What keeps the file from being a whole capture with packets.
fn content(words: &Words<'_>) -> Option<Fact> {
    const AGAIN: &[&str] = &["The size of the file beside that of the blob; download it again"];
    let figures = words.figures;
    if !matches!(figures.file.kind, FileKind::Capture(_)) {
        let complaint = figures.file.error.clone().unwrap_or_default();
        let check_next = &[
            "The capture session's state and its stop reason",
            "Access from the VM to the storage account over port 443",
        ];
        return Some(Fact::new(complaint, check_next));
    }
    let problem = match &figures.file.ending {
        Ending::Cut => "The file ends in the middle of a record".to_owned(),
        Ending::Damaged(reason) => format!("The file is damaged: {reason}"),
        Ending::Complete if figures.packets > 0 => return None,
        Ending::Complete => {
            let passed = match words.context.filtered {
                true => " that passed the filters",
                false => "",
            };
            let sentence = format!("The file is a capture without any packet{passed}.");
            let check_next =
                &["The filters of the capture, and whether the VM had traffic at that time"];
            return Some(Fact::new(sentence, check_next));
        }
    };
    let before = counted(figures.packets, "packet", "packets");
    let sentence = format!("{problem}; the figures hold for {before} before.");
    Some(Fact::new(sentence, AGAIN).count(figures.packets))
}

fn read_in_part(words: &Words<'_>) -> Option<Fact> {
    let size = words.figures.file.size;
    let whole = words.context.whole_size.filter(|whole| *whole > size)?;
    let sentence = format!(
        "Only the first {} of {} were read.",
        bytes(size),
        bytes(whole)
    );
    let check_next = &["The whole file, with `handler look`"];
    Some(Fact::new(sentence, check_next).count(size).of(whole))
}

/// The alert's moment, if it is far from the packets. A capture begins some time after the alert that started it.
fn moment(words: &Words<'_>) -> Option<Fact> {
    let figures = words.figures;
    let alert = words.context.alert.as_ref()?.at;
    let (first, last) = (figures.first?, figures.last?);
    let sentence = if alert > last {
        let gap = time(alert.saturating_sub(last));
        format!("The file ends {gap} before the alert fired.")
    } else if first.saturating_sub(alert) >= ALERT_BEFORE {
        let gap = time(first.saturating_sub(alert));
        format!("The first packet came {gap} after the alert.")
    } else {
        return None;
    };
    let check_next = &["The time from the alert to the create in the function's log"];
    Some(Fact::new(sentence, check_next))
}

/// The limits of the capture session: its bytes were reached, or it is much shorter than was asked for.
fn limits(words: &Words<'_>) -> Option<Fact> {
    let (figures, context) = (words.figures, words.context);
    let size = figures.file.size;
    let limit = context.bytes_per_session.filter(|limit| *limit > 0);
    // A session ends before the packet that would go beyond its limit.
    if let Some(limit) = limit.filter(|limit| size >= limit - limit / 50) {
        let sentence = format!(
            "The capture reached its limit of {} and ended by itself.",
            bytes(limit)
        );
        let check_next =
            &["The byte limit of the capture (totalBytesPerSession), if later packets matter"];
        return Some(Fact::new(sentence, check_next).count(size).of(limit));
    }
    let is_whole = context.whole_size.is_none_or(|whole| whole <= size);
    if figures.file.ending != Ending::Complete || !is_whole {
        return None;
    }
    let (limit, duration) = (context.time_limit_seconds?, figures.duration?);
    let seconds = (duration / 1_000_000_000) as u64;
    // The network was quiet, or the session ended early.
    (seconds < limit / 2).then(|| {
        let sentence = format!(
            "First and last packet are {} apart; the capture was asked for {} s.",
            time(duration),
            number(limit)
        );
        let check_next = &["The capture session's stop reason"];
        Fact::new(sentence, check_next).count(seconds).of(limit)
    })
}

/// Packets that are missing, cut, twice in the file, or of one direction only.
fn packets(words: &Words<'_>, left_out: &NotLookedInto) -> Vec<Fact> {
    const SNAP: &[&str] =
        &["The bytes per packet of the capture (bytesToCapturePerPacket); 0 keeps whole packets"];
    let (figures, tcp) = (words.figures, &words.figures.tcp);
    let of_packets = |count| share(count, figures.packets);
    let longest = number(figures.longest_captured);
    let mut out = Vec::new();
    if let Some(snapped) = left_out.count_of(Unread::Snapped.words()) {
        let sentence = format!(
            "{} packets end within a header (records have {longest} bytes at most): ports, flags or names are missing.",
            of_packets(snapped)
        );
        let fact = Fact::new(sentence, SNAP).count(snapped);
        out.push(fact.of(figures.packets).listed_by(CUT));
    }
    if tcp.one_sided > 0 && is_share(tcp.one_sided, tcp.streams, 50) {
        let sentence = format!(
            "The file holds one direction only in {} TCP streams: what came back is not in it.",
            share(tcp.one_sided, tcp.streams)
        );
        let check_next = &[
            "The filters of the capture: they have to match both directions",
            "Whether the other direction uses another network interface of the VM",
        ];
        let fact = Fact::new(sentence, check_next).count(tcp.one_sided);
        out.push(fact.of(tcp.streams).listed_by("tcp"));
    }
    if figures.doubles >= DOUBLES && is_share(figures.doubles, figures.packets, DOUBLE_PERCENT) {
        let sentence = format!(
            "{} packets are in the file twice within 1 ms; data among them does not count as sent again.",
            of_packets(figures.doubles)
        );
        let check_next = &[
            "The program that captured: with accelerated networking it may see a packet at two interfaces",
        ];
        let fact = Fact::new(sentence, check_next).count(figures.doubles);
        out.push(fact.of(figures.packets));
    }
    if figures.file.dropped > 0 {
        let dropped = counted(figures.file.dropped, "packet", "packets");
        let sentence = format!("The capturing program dropped {dropped}.");
        let check_next = &["The VM's load during the capture, and narrower filters"];
        out.push(Fact::new(sentence, check_next).count(figures.file.dropped));
    }
    if figures.cut_packets > 0 && words.context.bytes_per_packet.unwrap_or(0) == 0 {
        let sentence = format!(
            "{} packets are cut to {longest} bytes; names and messages within them cannot be read.",
            of_packets(figures.cut_packets)
        );
        let fact = Fact::new(sentence, SNAP).count(figures.cut_packets);
        out.push(fact.of(figures.packets).listed_by(CUT));
    }
    if let Some(unknown) = left_out.count_of(Unread::Link.words()) {
        let sentence = format!(
            "{} packets are of a link type that is not known ({}).",
            of_packets(unknown),
            figures.file.encapsulation.as_deref().unwrap_or("none")
        );
        let check_next = &["The program that captured; Wireshark may know the link type"];
        let fact = Fact::new(sentence, check_next).count(unknown);
        out.push(fact.of(figures.packets));
    }
    out
}
