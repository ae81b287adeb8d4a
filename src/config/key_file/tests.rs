//! Key files of every kind.

use super::*;

/// Numbers 1 to `count`, a line each.
fn lines(count: usize, end: &str) -> String {
    (1..=count).map(|n| format!("{n}{end}")).collect()
}

fn bytes(count: u8) -> Vec<u8> {
    (1..=count).collect()
}

fn utf16(mark: &[u8], text: &str, write: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(write);
    mark.iter().copied().chain(units).collect()
}

fn utf32(mark: &[u8], text: &str, write: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let units = text.chars().flat_map(|c| write(u32::from(c)));
    mark.iter().copied().chain(units).collect()
}

#[test]
fn every_form_in_the_field_is_read() {
    let text = lines(32, "\r\n");
    let mut odd = lines(12, "\n");
    odd.push_str("+13\n 014 \n0x0F\n1.6e1\n");
    let mut rare = lines(31, "\n");
    rare.push('\n');
    let mut zero_last = bytes(31);
    zero_last.push(0);
    let cases: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("CR LF", text.clone().into(), bytes(32)),
        ("LF", lines(32, "\n").into(), bytes(32)),
        ("CR", lines(32, "\r").into(), bytes(32)),
        ("no end", text.trim_end().into(), bytes(32)),
        ("spaces", lines(32, " \t\n").into(), bytes(32)),
        ("24 lines", lines(24, "\n").into(), bytes(24)),
        ("16 lines", lines(16, "\n").into(), bytes(16)),
        ("UTF-8 mark", format!("\u{feff}{text}").into(), bytes(32)),
        (
            "UTF-16LE",
            utf16(&[0xFF, 0xFE], &text, u16::to_le_bytes),
            bytes(32),
        ),
        (
            "UTF-16BE",
            utf16(&[0xFE, 0xFF], &text, u16::to_be_bytes),
            bytes(32),
        ),
        (
            "UTF-32LE",
            utf32(&[0xFF, 0xFE, 0, 0], &text, u32::to_le_bytes),
            bytes(32),
        ),
        (
            "UTF-32BE",
            utf32(&[0, 0, 0xFE, 0xFF], &text, u32::to_be_bytes),
            bytes(32),
        ),
        ("forms of numbers", odd.into(), bytes(16)),
        (
            "blank line at the end",
            format!("{text}\r\n").into(),
            bytes(32),
        ),
        ("31 numbers and a blank line", rare.into(), zero_last),
        (
            "commas",
            lines(31, ",")
                .into_bytes()
                .into_iter()
                .chain(*b"32\n")
                .collect(),
            bytes(32),
        ),
        ("raw", bytes(32), bytes(32)),
        ("raw, 24", bytes(24), bytes(24)),
        (
            "16 one-digit lines, 32 bytes",
            "7\n".repeat(16).into(),
            vec![7; 16],
        ),
    ];
    for (name, file, key) in cases {
        let read = Key::read(&file);
        assert_eq!(read.as_ref().map(Key::bytes), Ok(key.as_slice()), "{name}");
    }
}

#[test]
fn a_raw_key_may_begin_like_a_byte_order_mark() {
    for mark in [
        &[0xEF, 0xBB, 0xBF][..],
        &[0xFF, 0xFE],
        &[0xFE, 0xFF],
        &[0xFF, 0xFE, 0, 0],
    ] {
        let mut raw = vec![0xD8; 16];
        raw[..mark.len()].copy_from_slice(mark);
        assert_eq!(Key::read(&raw).unwrap().bytes(), raw);
    }
}

#[test]
fn what_is_no_key_file_is_refused_and_not_repeated() {
    use KeyFileError::*;
    let page = "<html>\n<title>404-page</title>\n7\n</html>\n";
    let comment = format!("{}# secret-note\n", lines(32, "\n"));
    let cases: Vec<(&str, Vec<u8>, KeyFileError)> = vec![
        ("empty", vec![], Empty),
        ("blank", "\n".repeat(32).into(), Empty),
        ("31", lines(31, "\n").into(), Count { found: 31 }),
        ("33", lines(33, "\n").into(), Count { found: 33 }),
        ("one number", b"7\n".to_vec(), Count { found: 1 }),
        // 32 bytes, and numbers all the same: never raw.
        (
            "8 two-digit lines",
            "17\r\n".repeat(8).into(),
            Count { found: 8 },
        ),
        (
            "256",
            lines(31, "\n")
                .into_bytes()
                .into_iter()
                .chain(*b"256\n")
                .collect(),
            NotAByte { line: 32 },
        ),
        (
            "negative",
            format!("-1\n{}", lines(31, "\n")).into(),
            NotAByte { line: 1 },
        ),
        (
            "fraction",
            format!("1.5\n{}", lines(31, "\n")).into(),
            NotAByte { line: 1 },
        ),
        (
            "word",
            comment.into(),
            NotANumber {
                line: 33,
                numbers: 32,
            },
        ),
        (
            "page",
            page.into(),
            NotANumber {
                line: 1,
                numbers: 1,
            },
        ),
        (
            "inf",
            "inf\n".repeat(40).into(),
            NotANumber {
                line: 1,
                numbers: 0,
            },
        ),
        ("binary", vec![0x9C; 31], Binary { bytes: 31 }),
        ("NULs", vec![0; 33], Binary { bytes: 33 }),
    ];
    for (name, file, error) in cases {
        assert_eq!(Key::read(&file).unwrap_err(), error, "{name}");
        let text = error.to_string();
        assert!(!text.contains("404-page") && !text.contains("secret-note"));
    }
}

#[test]
fn a_new_key_reads_back_and_does_not_print() {
    let key = Key::generate().unwrap();
    let file = key.to_file();
    assert_eq!(file.lines().count(), 32);
    assert_eq!(Key::read(file.as_bytes()).unwrap().bytes(), key.bytes());
    assert_ne!(key.bytes(), Key::generate().unwrap().bytes());
    assert_eq!(format!("{key:?}"), "Key of 32 bytes");
}
