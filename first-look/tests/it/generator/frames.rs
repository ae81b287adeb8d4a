//! Frames, byte by byte. Checksums are left out, as those of a guest are that leaves them to its network card.

use std::net::IpAddr;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const PSH: u8 = 8;
pub const ACK: u8 = 16;

/// One end of a TCP or UDP flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub ip: IpAddr,
    pub port: u16,
}

pub fn end(ip: &str, port: u16) -> End {
    End {
        ip: ip.parse().expect("an address"),
        port,
    }
}

/// The fields of a TCP header that matter.
#[derive(Debug, Clone, Default)]
pub struct Tcp {
    pub sequence: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub scale: Option<u8>,
    pub payload: Vec<u8>,
}

pub fn tcp(from: End, to: End, segment: &Tcp) -> Vec<u8> {
    let mut options = Vec::new();
    if let Some(scale) = segment.scale {
        options.extend([2, 4, 5, 0xb4, 1, 3, 3, scale]);
    }
    let mut header = Vec::new();
    header.extend(from.port.to_be_bytes());
    header.extend(to.port.to_be_bytes());
    header.extend(segment.sequence.to_be_bytes());
    header.extend(segment.ack.to_be_bytes());
    header.extend([((20 + options.len()) as u8 / 4) << 4, segment.flags]);
    header.extend(segment.window.to_be_bytes());
    header.extend([0; 4]);
    header.extend(options);
    header.extend(&segment.payload);
    ip(from.ip, to.ip, 6, &header)
}

pub fn udp(from: End, to: End, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(from.port.to_be_bytes());
    datagram.extend(to.port.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    ip(from.ip, to.ip, 17, &datagram)
}

/// A packet in an Ethernet frame.
pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, content: &[u8]) -> Vec<u8> {
    let (kind, packet) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut packet = vec![0x45, 0];
            packet.extend((20 + content.len() as u16).to_be_bytes());
            packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(content);
            (0x0800, packet)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut packet = vec![0x60, 0, 0, 0];
            packet.extend((content.len() as u16).to_be_bytes());
            packet.extend([protocol, 64]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(content);
            (0x86dd, packet)
        }
        _ => panic!("addresses of two families"),
    };
    ethernet(kind, &packet)
}

pub fn ethernet(kind: u16, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![
        0x00, 0x22, 0x48, 1, 2, 3, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
    ];
    frame.extend(kind.to_be_bytes());
    frame.extend(content);
    frame
}

/// A DNS message with one question of type A.
pub fn dns(id: u16, response: bool, rcode: u8, name: &str) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([
        if response { 0x81 } else { 1 },
        if response { 0x80 | rcode } else { 0 },
    ]);
    message.extend([0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// An ICMP error about an IPv4 packet in an Ethernet frame.
pub fn icmp_error(from: IpAddr, to: IpAddr, kind: u8, code: u8, about: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend(&about[14..about.len().min(14 + 28)]);
    ip(from, to, 1, &message)
}

pub fn arp(operation: u16, sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4];
    packet.extend(operation.to_be_bytes());
    packet.extend([0x12, 0x34, 0x56, 0x78, 0x9a, sender[3]]);
    packet.extend(sender);
    packet.extend([0; 6]);
    packet.extend(target);
    ethernet(0x0806, &packet)
}

/// A ClientHello of TLS 1.2 or later with a server's name, as one record.
pub fn client_hello(name: &str) -> Vec<u8> {
    let mut extension = (name.len() as u16 + 3).to_be_bytes().to_vec();
    extension.push(0);
    extension.extend((name.len() as u16).to_be_bytes());
    extension.extend(name.as_bytes());
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extension.len() as u16 + 4).to_be_bytes());
    body.extend([0, 0]);
    body.extend((extension.len() as u16).to_be_bytes());
    body.extend(extension);
    record(1, &body)
}

/// A ServerHello that chooses TLS 1.3.
pub fn server_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
    record(2, &body)
}

/// A fatal alert.
pub fn alert(description: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, description]
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![22, 3, 1];
    record.extend((body.len() as u16 + 4).to_be_bytes());
    record.extend([kind, 0]);
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}
