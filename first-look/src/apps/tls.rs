//! TLS in clear: ClientHello with the server's name, ServerHello with the version, alerts. Sixty lines instead of
//! `tls-parser`, which brings 31 crates. <https://www.rfc-editor.org/rfc/rfc8446>

use super::assembly::{Bytes, Taken};
use crate::address::Endpoint;
use crate::tally::Tally;

const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Longest record with what encryption may add.
const MAXIMUM_RECORD: usize = (1 << 14) + 2_048;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SERVER_NAME: u16 = 0;
const SUPPORTED_VERSIONS: u16 = 43;
const FATAL: u8 = 2;

pub(crate) struct Tls {
    pub client_hellos: u64,
    pub server_hellos: u64,
    pub names: Tally<String>,
    pub versions: Tally<u16>,
    pub alerts: Tally<(u8, u8)>,
    pub fatal: Tally<Fatal>,
}

/// A fatal alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fatal {
    pub description: u8,
    pub server: Endpoint,
    /// Sent by the server, and not to it.
    pub by_server: bool,
}

/// Whether a segment begins with a record that is worth reading: handshake or alert, version 3.x.
pub(super) fn begins(payload: &[u8]) -> bool {
    matches!(payload, [ALERT | HANDSHAKE, 3, 0..=4, ..])
}

pub(crate) fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        other => format!("0x{other:04x}"),
    }
}

impl Tls {
    pub fn new(limit: usize) -> Tls {
        Tls {
            client_hellos: 0,
            server_hellos: 0,
            names: Tally::new((limit / 8).max(16)),
            versions: Tally::new(64),
            alerts: Tally::new(256),
            fatal: Tally::new((limit / 8).max(16)),
        }
    }

    /// Takes one record, sent by the server or to it.
    pub(super) fn read(&mut self, bytes: Bytes<'_>, server: Endpoint, by_server: bool) -> Taken {
        let Bytes { bytes, state } = bytes;
        let [kind, major, _, high, low, ..] = *bytes else {
            return Taken::Bytes(0);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if major != 3 || length > MAXIMUM_RECORD {
            return Taken::Closed;
        }
        let Some(body) = bytes.get(5..5 + length) else {
            return if matches!(kind, HANDSHAKE | ALERT) {
                Taken::Bytes(0)
            } else {
                Taken::Closed
            };
        };
        match kind {
            CHANGE_CIPHER => state.cipher_changed = true,
            ALERT => {
                // Longer ones are encrypted.
                if let [level, description] = *body {
                    self.alerts.add((level, description), 1);
                    if level == FATAL {
                        let fatal = Fatal {
                            description,
                            server,
                            by_server,
                        };
                        self.fatal.add(fatal, 1);
                    }
                }
            }
            HANDSHAKE if state.cipher_changed => {
                // A second ClientHello or ServerHello of TLS 1.3 is in clear; anything else is encrypted.
                if let Some((message, length)) = message(body)
                    && length + 4 == body.len()
                    && matches!(body[0], CLIENT_HELLO | SERVER_HELLO)
                {
                    self.message(body[0], message);
                }
            }
            HANDSHAKE => {
                let skipped = state.message_left.min(body.len());
                state.message_left -= skipped;
                let mut rest = &body[skipped..];
                while let Some((content, length)) = message(rest) {
                    self.message(rest[0], content);
                    state.message_left = length - content.len();
                    rest = &rest[4 + content.len()..];
                }
            }
            _ => return Taken::Closed,
        }
        Taken::Bytes(5 + length)
    }

    fn message(&mut self, kind: u8, body: &[u8]) {
        match kind {
            CLIENT_HELLO => {
                self.client_hellos += 1;
                if let Some(name) = server_name(body) {
                    self.names.add(name, 1);
                }
            }
            SERVER_HELLO => {
                self.server_hellos += 1;
                if let Some(version) = chosen_version(body) {
                    self.versions.add(version, 1);
                }
            }
            _ => {}
        }
    }
}

/// Content of the handshake message in front, as far as it is there, and its whole length.
fn message(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let [_, a, b, c, rest @ ..] = bytes else {
        return None;
    };
    let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
    Some((&rest[..length.min(rest.len())], length))
}

/// Fields in order; every step can find the message cut.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn u8(&mut self) -> Option<usize> {
        self.take(1).map(|field| usize::from(field[0]))
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)
            .map(|field| u16::from_be_bytes([field[0], field[1]]))
    }

    /// The extension of a number, from the list of extensions.
    fn extension(&mut self, wanted: u16) -> Option<&'a [u8]> {
        self.u16()?;
        loop {
            let (kind, length) = (self.u16()?, self.u16()?);
            let body = self.take(length.into())?;
            if kind == wanted {
                return Some(body);
            }
        }
    }
}

fn server_name(hello: &[u8]) -> Option<String> {
    let mut fields = Fields(hello);
    fields.take(2 + 32)?;
    let session = fields.u8()?;
    fields.take(session)?;
    let ciphers = fields.u16()?;
    fields.take(ciphers.into())?;
    let compressions = fields.u8()?;
    fields.take(compressions)?;
    let mut names = Fields(fields.extension(SERVER_NAME)?);
    names.u16()?;
    names.take(1)?;
    let length = names.u16()?;
    // The text is foreign: any byte is possible. A name has at most 255.
    let name = names.take(length.into())?;
    Some(crate::text::clean(name))
}

fn chosen_version(hello: &[u8]) -> Option<u16> {
    let mut fields = Fields(hello);
    let version = fields.u16()?;
    let extension = || {
        fields.take(32)?;
        let session = fields.u8()?;
        fields.take(session + 3)?;
        fields.extension(SUPPORTED_VERSIONS)
    };
    Some(match { extension }() {
        Some([high, low]) => u16::from_be_bytes([*high, *low]),
        _ => version,
    })
}
