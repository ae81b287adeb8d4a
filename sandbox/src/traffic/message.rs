//! What the packets carry, as far as a reader of captures looks: DNS messages, TLS hellos, sealed data.

use rand::RngExt;
use rand::rngs::StdRng;

/// The rcode of a server that cannot answer.
pub(super) const SERVFAIL: u8 = 2;

/// A question for an IPv4 address.
pub(super) fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// The answer to a question: an address, or an rcode.
pub(super) fn answer(query: &[u8], found: Result<[u8; 4], u8>) -> Vec<u8> {
    let mut message = query.to_vec();
    (message[2], message[3]) = (0x81, 0x80 | found.err().unwrap_or(0));
    if let Ok(address) = found {
        message[7] = 1;
        // The question's name, type A, class IN, 30 s, 4 bytes.
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4]);
        message.extend(address);
    }
    message
}

/// A ClientHello of TLS 1.3 that asks for a server's name.
pub(super) fn client_hello(random: &mut StdRng, name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let mut server_name = vec![0];
    server_name.extend(sized(name));
    let mut extensions = extension(0, &sized(&server_name));
    extensions.extend(extension(43, &[2, 3, 4]));
    extensions.extend(extension(10, &[0, 2, 0, 29]));
    let mut body = vec![3, 3];
    body.extend(random.random::<[u8; 32]>());
    // No session, two cipher suites, no compression.
    body.extend([0, 0, 4, 0x13, 0x01, 0x13, 0x02, 1, 0]);
    body.extend(sized(&extensions));
    hello(1, &body)
}

/// The ServerHello, and behind it what is encrypted already.
pub(super) fn server_hello(random: &mut StdRng) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random.random::<[u8; 32]>());
    body.extend([0, 0x13, 0x01, 0]);
    body.extend(sized(&extension(43, &[3, 4])));
    let mut flight = hello(2, &body);
    flight.extend(sealed(random, 900));
    flight
}

/// A record of encrypted data.
pub(super) fn sealed(random: &mut StdRng, length: usize) -> Vec<u8> {
    let mut record = vec![23, 3, 3];
    record.extend((length as u16).to_be_bytes());
    record.extend(noise(random, length));
    record
}

pub(super) fn noise(random: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes[..]);
    bytes
}

fn hello(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0];
    message.extend(sized(body));
    let mut record = vec![22, 3, 1];
    record.extend(sized(&message));
    record
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(sized(content));
    bytes
}

/// Two bytes of length in front.
fn sized(content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u16).to_be_bytes().to_vec();
    bytes.extend(content);
    bytes
}
