//! Is the file what was asked for: complete, with both directions, each packet once, and with the alert's moment.

use super::thresholds::{DOUBLE_PERCENT, DOUBLES, is_share};
use super::{Finding, Kind};
use crate::container::{Ending, Kind as FileKind};
use crate::frame::Unread;
use crate::unread::NotLookedInto;
use crate::words::{Words, bytes, counted, number, share, time};

pub(super) fn findings(words: &Words<'_>, left_out: &NotLookedInto) -> Vec<Finding> {
    let figures = words.figures;
    let context = words.context;
    let mut out = Vec::new();
    let mut add = |sentence: String, count: u64, base: Option<u64>, filter: &str| {
        out.push(
            words.finding(Kind::File, (count, base), None, filter.into(), |_| {
                sentence.clone()
            }),
        );
    };
    if !matches!(figures.file.kind, FileKind::Capture(_)) {
        let complaint = figures.file.error.clone().unwrap_or_default();
        add(complaint, 0, None, "");
        return out;
    }
    let so_far = format!(
        "the figures hold for {} before",
        counted(figures.packets, "packet", "packets")
    );
    match &figures.file.ending {
        Ending::Cut => add(
            format!("The file ends in the middle of a record; {so_far}."),
            figures.packets,
            None,
            "",
        ),
        Ending::Damaged(reason) => {
            add(
                format!("The file is damaged: {reason}; {so_far}."),
                figures.packets,
                None,
                "",
            );
        }
        Ending::Complete => {}
    }
    if figures.packets == 0 && figures.file.ending != Ending::Complete {
        return out;
    }
    if figures.packets == 0 {
        let why = if context.filtered {
            " that passed the filters"
        } else {
            ""
        };
        add(
            format!("The file is a capture without any packet{why}."),
            0,
            None,
            "",
        );
        return out;
    }
    if let Some(whole) = context
        .whole_size
        .filter(|whole| *whole > figures.file.size)
    {
        let read = bytes(figures.file.size);
        add(
            format!("Only the first {read} of {} were read.", bytes(whole)),
            figures.file.size,
            Some(whole),
            "",
        );
    }
    if let Some(limit) = context
        .bytes_per_session
        .filter(|limit| *limit > 0 && figures.file.size >= limit - limit / 50)
    {
        add(
            format!(
                "The capture reached its limit of {} and ended by itself.",
                bytes(limit)
            ),
            figures.file.size,
            Some(limit),
            "",
        );
    }
    outside_of_alert(words, &mut add);
    shorter_than_asked(words, &mut add);
    if let Some(snapped) = left_out.count_of(Unread::Snapped.words()) {
        let sentence = format!(
            "{} packets end within a header (records have {} bytes at most): ports, flags or names are missing.",
            share(snapped, figures.packets),
            number(figures.longest_captured)
        );
        add(
            sentence,
            snapped,
            Some(figures.packets),
            "frame.cap_len < frame.len",
        );
    }
    let tcp = &figures.tcp;
    if tcp.one_sided > 0 && is_share(tcp.one_sided, tcp.streams, 50) {
        let sentence = format!(
            "The file holds one direction only in {} TCP streams: what came back is not in it.",
            share(tcp.one_sided, tcp.streams)
        );
        add(sentence, tcp.one_sided, Some(tcp.streams), "tcp");
    }
    if figures.doubles >= DOUBLES && is_share(figures.doubles, figures.packets, DOUBLE_PERCENT) {
        let sentence = format!(
            "{} packets are in the file twice within 1 ms; retransmissions can be fewer than counted.",
            share(figures.doubles, figures.packets)
        );
        add(sentence, figures.doubles, Some(figures.packets), "");
    }
    if figures.file.dropped > 0 {
        let dropped = counted(figures.file.dropped, "packet", "packets");
        add(
            format!("The capturing program dropped {dropped}."),
            figures.file.dropped,
            None,
            "",
        );
    }
    if figures.cut_packets > 0 && context.bytes_per_packet.unwrap_or(0) == 0 {
        let sentence = format!(
            "{} packets are cut to {} bytes; names and messages within them cannot be read.",
            share(figures.cut_packets, figures.packets),
            number(figures.longest_captured)
        );
        add(
            sentence,
            figures.cut_packets,
            Some(figures.packets),
            "frame.cap_len < frame.len",
        );
    }
    if let Some(unknown) = left_out.count_of(Unread::Link.words()) {
        let sentence = format!(
            "{} packets are of a link type that is not known ({}).",
            share(unknown, figures.packets),
            figures.file.encapsulation.as_deref().unwrap_or("none")
        );
        add(sentence, unknown, Some(figures.packets), "");
    }
    out
}

/// Half of the time that was asked for, or less: the network was quiet, or the capture ended early.
fn shorter_than_asked(words: &Words<'_>, add: &mut impl FnMut(String, u64, Option<u64>, &str)) {
    let (Some(limit), Some(duration)) = (words.context.time_limit_seconds, words.figures.duration)
    else {
        return;
    };
    let seconds = (duration / 1_000_000_000) as u64;
    if words.figures.file.ending == Ending::Complete && seconds < limit / 2 {
        let sentence = format!(
            "First and last packet are {} apart; the capture was asked for {} s.",
            time(duration),
            number(limit)
        );
        add(sentence, seconds, Some(limit), "");
    }
}

fn outside_of_alert(words: &Words<'_>, add: &mut impl FnMut(String, u64, Option<u64>, &str)) {
    let figures = words.figures;
    let (Some(alert), Some(first), Some(last)) =
        (&words.context.alert, figures.first, figures.last)
    else {
        return;
    };
    if alert.at > last {
        let sentence = format!(
            "The file ends {} before the alert fired.",
            time(alert.at.saturating_sub(last))
        );
        add(sentence, 0, None, "");
    } else if alert.at < first {
        let sentence = format!(
            "The first packet is {} younger than the alert.",
            time(first.saturating_sub(alert.at))
        );
        add(sentence, 0, None, "");
    }
}
