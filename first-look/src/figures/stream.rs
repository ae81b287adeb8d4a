//! TCP streams one by one, to compare them with those of another program.

use serde::Serialize;

use super::write::{self, Counts, decimal};
use crate::tcp::{Mark, Outcome, Stream, UNSET};

/// One stream as it is listed.
#[derive(Debug, Serialize)]
pub(crate) struct StreamRow {
    pub stream: u64,
    pub a: (String, u16),
    pub b: (String, u16),
    pub state: &'static str,
    pub packets: [u32; 2],
    pub bytes: [u64; 2],
    pub payload: [u64; 2],
    pub syn: [u32; 2],
    pub syn_ack: [u32; 2],
    pub rst: [u32; 2],
    pub fin: [u32; 2],
    #[serde(serialize_with = "write::decimal_or_null")]
    pub initial_rtt: Option<i64>,
    pub analysis: [Counts; 2],
    #[serde(serialize_with = "decimal")]
    pub first: i64,
    #[serde(serialize_with = "decimal")]
    pub last: i64,
}

impl StreamRow {
    pub fn of(stream: &Stream) -> StreamRow {
        let [a, b] = &stream.sides;
        let analysis = |side: usize| {
            let marks = stream
                .rare
                .as_ref()
                .map_or([0; Mark::COUNT], |rare| rare.marks[side]);
            let named = Mark::ALL.iter().zip(marks).filter(|(_, count)| *count > 0);
            Counts(
                named
                    .map(|(mark, count)| (mark.name().to_owned(), count.into()))
                    .collect(),
            )
        };
        StreamRow {
            stream: stream.number,
            a: (stream.ends[0].address.to_string(), stream.ends[0].port),
            b: (stream.ends[1].address.to_string(), stream.ends[1].port),
            state: match stream.outcome() {
                Outcome::NoAnswer => "no_answer",
                Outcome::Refused => "refused",
                Outcome::Answered => "answered",
                Outcome::Other => "other",
                Outcome::Midstream => "midstream",
            },
            packets: [a.packets, b.packets],
            bytes: [a.bytes, b.bytes],
            payload: [a.payload, b.payload],
            syn: [a.syn, b.syn],
            syn_ack: [a.syn_ack, b.syn_ack],
            rst: [a.rst, b.rst],
            fin: [a.fin, b.fin],
            initial_rtt: Some(stream.initial_rtt).filter(|time| *time != UNSET),
            analysis: [analysis(0), analysis(1)],
            first: stream.first,
            last: stream.last,
        }
    }
}
