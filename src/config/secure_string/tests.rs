//! The encrypted string, read and written.

use super::*;
use proptest::prelude::*;

// Made with Python's `cryptography`: the key is 1, 2, 3 ..., the IV a0, a1, a2 ...
const PASSWORD: &str = "S\u{e9}same~1.\u{1f511}";
const BITS_128: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwANAA4ADcAZgAxADYAMgBmADQAMwA3ADAAYwA3ADcAYgBhADAAMwAzADIAMABkADUAYgA3AGUAMwA2ADkAOAA1ADMA",
    "ZAAxAGEAYgBhAGEAYgA5AGQANwA3AGEAMgBiAGMAZQBjADYANgA3AGYAYQBhAGUAYQAzAGEAMgA1ADEANgA=",
);
const BITS_192: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwAMwA1ADIAMgAxADcAMAAzAGMAZgBmAGEAZABlAGMAYgBlAGMAZQA0AGUAMwBkADQANABlAGYAMQBiADIANgBmAGIA",
    "OQBjADcANAAwADkANwA1AGQAZAAwADIAOAAyAGMANQA2ADgANABjADUAZgA3ADYAMwA3AGEAZAAxADIANQA=",
);
const BITS_256: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwAZQAwADQANQAwADkANAA1ADUANQA4ADIANwBkADIAMABiAGYAYwBmADcAOQA5ADYANQBjADUAMQAyAGQANQA5ADQA",
    "OQAwAGIAMQBmADUAOQBhAGQAYQBmAGMAZAA1ADMAYwBkADAANgAxADUANwAwAGQAMQA0ADkAMwBhADIAMAA=",
);
const ODD_BYTE_COUNT: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwAMgA5AGUAYQA2ADgANQAyADkAMQA4AGUAMwA2ADUAOQAzAGUANgA3ADgAMAA5ADEANQA1ADQAZQAyADMAOQAzAA==",
);
const LONE_SURROGATE: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwANgAwADQANQA1ADUAZAAwAGMAZQBmADEAZQAyAGEAYQA1AGIAZQBiAGQAZgAyADQANQBhAGEAZAA0ADUANwBlAA==",
);
const WITH_LINE_END: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwAMgAzAGEAMwAyADMAOABjAGEAZAA5AGYAYQA0AGIAZgBmADQAYgBmAGMAMAAyADYAYgAxAGEAMQA0AGEAZQAwAA==",
);
const EMPTY: &str = concat!(
    "76492d1116743f0423413b16050a5345MgB8AG8ASwBHAGkAbwA2AFMAbABwAHEAZQBvAHEAYQBxAHIAcgBLADIAdQByAHcA",
    "PQA9AHwAZgBmADMAOABjADUAZQBkAGUAYgA3ADUAYgAyAGEANgAzAGMAYgA0ADkAZgA1ADQANwBkADAAZAA1AGQAYgAwAA==",
);

fn key(length: u8) -> Key {
    Key::from_bytes(&(1..=length).collect::<Vec<u8>>()).unwrap()
}

const IV: [u8; 16] = [
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
];

/// A string with the header and this inner text.
fn with_inner(inner: &str) -> String {
    let bytes: Vec<u8> = inner.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("{HEADER}{}", BASE64_STANDARD.encode(bytes))
}

fn refusal(value: &str) -> Unreadable {
    decrypt(value, &key(32)).unwrap_err()
}

#[test]
fn an_independent_implementation_agrees_both_ways() {
    for (length, value) in [(16, BITS_128), (24, BITS_192), (32, BITS_256)] {
        assert_eq!(*decrypt(value, &key(length)).unwrap(), PASSWORD);
        assert_eq!(encrypt_with(PASSWORD, &key(length), IV).unwrap(), value);
    }
}

#[test]
fn consoles_and_people_may_change_what_does_not_matter() {
    let (header, rest) = BITS_256.split_at(HEADER.len());
    let wrapped: Vec<&str> = rest
        .as_bytes()
        .chunks(80)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    for value in [
        format!("{}{rest}", header.to_uppercase()),
        format!("  {BITS_256}\r\n"),
        format!("{header}{}", wrapped.join("\r\n\t ")),
    ] {
        assert_eq!(*decrypt(&value, &key(32)).unwrap(), PASSWORD);
    }
    let inner = format!("3|{}|{}", BASE64_STANDARD.encode(IV), "AB".repeat(16));
    // The first part is not read, hexadecimal may be upper case: it comes as far as the padding.
    assert_eq!(refusal(&with_inner(&inner)), Unreadable::WrongKey);
}

#[test]
fn every_other_value_is_named_for_what_it_is() {
    use Unreadable::*;
    let iv = BASE64_STANDARD.encode(IV);
    let block = "0".repeat(32);
    let cases: Vec<(String, Unreadable)> = vec![
        (" \n".into(), Empty),
        (
            "01000000D08C9DDF0115D1118C7A00C04FC297EB01000000".into(),
            Dpapi,
        ),
        ("AQAAANCMnd8BFdERjHoAwE/Cl+sBAAAA".into(), Dpapi),
        ("540065007300".into(), NotEncrypted),
        (
            "5400650073007400540065007300740054006500730074005400650073007400".into(),
            NotEncrypted,
        ),
        ("9f".repeat(32), Version1),
        (BITS_256[HEADER.len()..].into(), HeaderCutOff),
        (BITS_256[3..].into(), HeaderCutOff),
        (BITS_256.replacen("76492d", "86492d", 1), HeaderCutOff),
        (format!("\"{BITS_256}\""), NotAtStart),
        (
            "@microsoft.keyvault(SecretUri=https://v.vault.azure.net/secrets/n/)".into(),
            KeyVaultReference,
        ),
        ("FEdc~b.9876543210_secret".into(), NoHeader),
        ("9f9".into(), NoHeader),
        ("\u{e9}".repeat(40), NoHeader),
        (HEADER.into(), Parts),
        (BITS_256[..BITS_256.len() - 5].into(), Base64),
        (format!("{BITS_256}*"), Base64),
        (with_inner(&format!("2|{iv}")), Parts),
        (with_inner(&format!("2|{iv}|{block}|")), Parts),
        (
            with_inner(&format!("2|{}|{block}", &iv[4..])),
            InitializationVector,
        ),
        (with_inner(&format!("2|?|{block}")), InitializationVector),
        (with_inner(&format!("2|{iv}|")), Blocks),
        (with_inner(&format!("2|{iv}|{block}0")), Blocks),
        (with_inner(&format!("2|{iv}|{block}00")), Blocks),
        (with_inner(&format!("2|{iv}|{}zz", &block[2..])), Blocks),
        (with_inner(&format!("2|{iv}|{block}")), WrongKey),
        (BITS_128.into(), WrongKey),
        (ODD_BYTE_COUNT.into(), OddByteCount),
        (LONE_SURROGATE.into(), NotText),
        (WITH_LINE_END.into(), ControlCharacters),
        (EMPTY.into(), EmptyPassword),
    ];
    let mut messages: Vec<String> = Vec::new();
    for (value, expected) in cases {
        assert_eq!(refusal(&value), expected, "{value}");
        let message = expected.to_string();
        let long = value.trim().get(..24);
        assert!(
            long.is_none_or(|start| !message.contains(start)),
            "{message}"
        );
        assert!(!message.contains("tamper"));
        messages.push(message);
    }
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), 17, "each has its own message");
}

#[test]
fn what_could_not_be_read_back_is_not_encrypted() {
    assert!(matches!(encrypt("", &key(32)), Err(NotEncryptable::Empty)));
    assert!(matches!(
        encrypt("secret\n", &key(32)),
        Err(NotEncryptable::ControlCharacters)
    ));
    assert_ne!(
        encrypt("a", &key(32)).unwrap(),
        encrypt("a", &key(32)).unwrap()
    );
}

proptest! {
    #[test]
    fn what_was_encrypted_comes_back(
        password in "\\PC{1,80}",
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 16),
            prop::collection::vec(any::<u8>(), 24),
            prop::collection::vec(any::<u8>(), 32),
        ],
    ) {
        let key = Key::from_bytes(&bytes).unwrap();
        let value = encrypt(&password, &key).unwrap();
        let characters = password.encode_utf16().count();
        let inner = 2 * (27 + 32 * (characters / 8 + 1));
        prop_assert_eq!(value.len(), HEADER.len() + inner.div_ceil(3) * 4);
        prop_assert_eq!(&*decrypt(&value, &key).unwrap(), &password);
    }

    #[test]
    fn garbage_never_panics(
        value in any::<String>(),
        inner in any::<String>(),
        file in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let _ = decrypt(&value, &key(32));
        let _ = decrypt(&format!("{HEADER}{value}"), &key(16));
        let _ = decrypt(&with_inner(&inner), &key(24));
        let inner = format!("2|{}|{inner}", BASE64_STANDARD.encode(IV));
        let _ = decrypt(&with_inner(&inner), &key(24));
        let _ = Key::read(&file);
    }
}
