//! QUIC is recognized and counted; its names are encrypted and not read. <https://www.rfc-editor.org/rfc/rfc9000#section-17>

/// Counts of QUIC.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quic {
    pub datagrams: u64,
}

/// Whether a datagram has a long header of a known version; a flow with one is QUIC.
pub(crate) fn begins(payload: &[u8]) -> bool {
    let [first, a, b, c, d, length, ..] = *payload else {
        return false;
    };
    let version = u32::from_be_bytes([a, b, c, d]);
    // Version 1, version 2, drafts, Facebook's, versions reserved for negotiation.
    let known = matches!(version, 1 | 0x6b33_43cf | 0xff00_0000..=0xff00_00ff | 0xface_b000..=0xface_b0ff)
        || version & 0x0f0f_0f0f == 0x0a0a_0a0a;
    first & 0xc0 == 0xc0 && known && length <= 20
}
