//! PowerShell's encrypted strings, as `ConvertFrom-SecureString -Key` writes them: the original's
//! `AzureCredPassword`. Operators who have one keep it, and can make one without PowerShell.
//!
//! The form is `76492d1116743f0423413b16050a5345`, then base64 of the UTF-16LE text `2|base64(IV)|hex(ciphertext)`,
//! with AES-CBC over the UTF-16LE password.
//! <https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.security/convertfrom-securestring>
//!
//! It has no check value: a changed string or another key mostly ends in wrong padding, yet not always. Only
//! signing in proves a password.

use super::key_file::Key;
use aes::{Aes128, Aes192, Aes256};
use base64::{Engine, prelude::BASE64_STANDARD};
use cbc::{
    Decryptor, Encryptor,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use rand::{TryRng, rngs::SysRng};
use std::fmt::Write;
use zeroize::Zeroizing;

const HEADER: &str = "76492d1116743f0423413b16050a5345";
/// How the part after the header begins: `2|` and the start of the IV.
const AFTER_HEADER: &str = "MgB8A";
const BLOCK: usize = 16;

/// Why a value gave no password: what it is, and what to do. Never the value, the key or what came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "empty; a string from `handler credentials encrypt` or ConvertFrom-SecureString -Key is expected"
    )]
    Empty,
    #[error(
        "encrypted by Windows' Data Protection API (DPAPI), that is without -Key: only the one user of the one machine where it was made can read it, and no tool elsewhere; make it again with `handler credentials encrypt` or ConvertFrom-SecureString -Key"
    )]
    Dpapi,
    #[error(
        "made without -Key by PowerShell on Linux or macOS, which does not encrypt at all: the secret is readable in it and should be treated as exposed; renew it, and encrypt the new one with `handler credentials encrypt` or ConvertFrom-SecureString -Key"
    )]
    NotEncrypted,
    #[error(
        "an encrypted string of version 1, without header and initialization vector: the start of the password is lost, and PowerShell itself would read rubbish there; make it again with `handler credentials encrypt` or ConvertFrom-SecureString -Key (or, if it is the secret itself, see AZURE_CLIENT_SECRET)"
    )]
    Version1,
    #[error(
        "an encrypted string whose header is cut off or changed; it begins with 76492d1116743f04…, copy the whole value again"
    )]
    HeaderCutOff,
    #[error(
        "an encrypted string with something before its header, perhaps a quotation mark; it begins with 76492d1116743f04…"
    )]
    NotAtStart,
    #[error(
        "a Key Vault reference that App Service could not resolve; check the app's identity, its right to get secrets from the vault (or keyVaultReferenceIdentity), and the reference itself"
    )]
    KeyVaultReference,
    #[error(
        "not a string encrypted by ConvertFrom-SecureString -Key (its header 76492d1116743f04… is missing); if it is the client secret itself, encrypt it with `handler credentials encrypt`, or put it into AZURE_CLIENT_SECRET, or set AzureCredPasswordFormat to plain"
    )]
    NoHeader,
    #[error(
        "an encrypted string that is cut off or damaged: what follows the header is not valid base64; copy the whole value again"
    )]
    Base64,
    #[error(
        "an encrypted string that is cut off or damaged: what follows the header does not hold the three parts of version 2; copy the whole value again"
    )]
    Parts,
    #[error(
        "an encrypted string that is damaged: its initialization vector is not 16 bytes of base64"
    )]
    InitializationVector,
    #[error(
        "an encrypted string that is cut off or damaged: its ciphertext is not whole blocks of 16 bytes in hexadecimal"
    )]
    Blocks,
    #[error(
        "could not be decrypted with this key (wrong padding): it was encrypted with another key, or the string is damaged"
    )]
    WrongKey,
    #[error(
        "could not be decrypted with this key (an odd number of bytes came out): it was encrypted with another key, or the string is damaged"
    )]
    OddByteCount,
    #[error(
        "could not be decrypted with this key (what came out is not valid UTF-16 text): it was encrypted with another key, or the string is damaged"
    )]
    NotText,
    #[error(
        "decrypted to a text with control characters, which no client secret has: the key may be another one, the string damaged, or a line end was encrypted along with the secret; encrypt it again"
    )]
    ControlCharacters,
    #[error("decrypted to nothing: an empty password was encrypted, or the key is another one")]
    EmptyPassword,
}

/// Why a password was not encrypted.
#[derive(Debug, thiserror::Error)]
pub enum NotEncryptable {
    #[error("the password is empty")]
    Empty,
    #[error(
        "the password holds control characters, such as a line end or a tab, which no client secret has"
    )]
    ControlCharacters,
    #[error("the system gave no random bytes")]
    Randomness(#[source] std::io::Error),
}

/// The password in an encrypted string. White space around it and inside its base64 part is overlooked:
/// consoles break long lines.
///
/// # Errors
/// What the value is instead, or how decrypting it failed.
pub fn decrypt(value: &str, key: &Key) -> Result<Zeroizing<String>, Unreadable> {
    let (iv, mut data) = parts(value)?;
    let plain = match key.bytes().len() {
        16 => decrypt_blocks::<Decryptor<Aes128>>(key, &iv, &mut data)?,
        24 => decrypt_blocks::<Decryptor<Aes192>>(key, &iv, &mut data)?,
        _ => decrypt_blocks::<Decryptor<Aes256>>(key, &iv, &mut data)?,
    };
    let (units, rest) = plain.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Unreadable::OddByteCount);
    }
    // A unit becomes three bytes at most: the text never moves and leaves no copy behind.
    let mut password = Zeroizing::new(String::with_capacity(units.len().saturating_mul(3)));
    for c in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        password.push(c.map_err(|_| Unreadable::NotText)?);
    }
    if password.is_empty() {
        return Err(Unreadable::EmptyPassword);
    }
    if password.contains(char::is_control) {
        return Err(Unreadable::ControlCharacters);
    }
    Ok(password)
}

/// The encrypted string of a password, never twice the same. Every PowerShell reads it.
///
/// # Errors
/// [`NotEncryptable`] for a password that [`decrypt`] would not give back.
pub fn encrypt(password: &str, key: &Key) -> Result<String, NotEncryptable> {
    let mut iv = [0; BLOCK];
    SysRng
        .try_fill_bytes(&mut iv)
        .map_err(|error| NotEncryptable::Randomness(std::io::Error::other(error)))?;
    encrypt_with(password, key, iv)
}

fn encrypt_with(password: &str, key: &Key, iv: [u8; BLOCK]) -> Result<String, NotEncryptable> {
    if password.is_empty() {
        return Err(NotEncryptable::Empty);
    }
    if password.contains(char::is_control) {
        return Err(NotEncryptable::ControlCharacters);
    }
    let length = password.encode_utf16().count().saturating_mul(2);
    let padded = length.saturating_add(BLOCK);
    let mut data = Zeroizing::new(Vec::with_capacity(padded));
    data.extend(password.encode_utf16().flat_map(u16::to_le_bytes));
    data.resize(padded, 0);
    let data = match key.bytes().len() {
        16 => encrypt_blocks::<Encryptor<Aes128>>(key, &iv, &mut data, length),
        24 => encrypt_blocks::<Encryptor<Aes192>>(key, &iv, &mut data, length),
        _ => encrypt_blocks::<Encryptor<Aes256>>(key, &iv, &mut data, length),
    };
    let mut inner = format!("2|{}|", BASE64_STANDARD.encode(iv));
    for byte in data {
        let _ = write!(inner, "{byte:02x}");
    }
    let inner: Vec<u8> = inner.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Ok(format!("{HEADER}{}", BASE64_STANDARD.encode(inner)))
}

/// Checks a value without a key: whether it could be decrypted at all.
///
/// # Errors
/// What the value is instead.
pub fn inspect(value: &str) -> Result<(), Unreadable> {
    parts(value).map(drop)
}

/// Whether a value has the header of an encrypted string.
pub fn has_header(value: &str) -> bool {
    strip_prefix_any_case(value.trim(), HEADER).is_some()
}

/// Whether App Service left a Key Vault reference unresolved in a setting, as the whole value or within it.
pub fn has_key_vault_reference(value: &str) -> bool {
    value.to_ascii_lowercase().contains("@microsoft.keyvault(")
}

/// The initialization vector and the ciphertext.
fn parts(value: &str) -> Result<([u8; BLOCK], Zeroizing<Vec<u8>>), Unreadable> {
    let value = value.trim();
    let Some(encoded) = strip_prefix_any_case(value, HEADER) else {
        return Err(without_header(value));
    };
    let encoded: String = encoded.split_ascii_whitespace().collect();
    let inner = BASE64_STANDARD
        .decode(encoded)
        .map_err(|_| Unreadable::Base64)?;
    let (units, rest) = inner.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let inner = String::from_utf16(&units).map_err(|_| Unreadable::Parts)?;
    let fields: Vec<&str> = inner.split('|').collect();
    // PowerShell writes a 2 first and never reads it.
    let ([_, iv, data], true) = (fields.as_slice(), rest.is_empty()) else {
        return Err(Unreadable::Parts);
    };
    let iv = BASE64_STANDARD
        .decode(iv)
        .ok()
        .and_then(|iv| iv.try_into().ok())
        .ok_or(Unreadable::InitializationVector)?;
    let data = hex(data).map(Zeroizing::new).ok_or(Unreadable::Blocks)?;
    if data.is_empty() || data.len() % BLOCK != 0 {
        return Err(Unreadable::Blocks);
    }
    Ok((iv, data))
}

/// What a value is that does not begin with the header.
fn without_header(value: &str) -> Unreadable {
    if value.is_empty() {
        return Unreadable::Empty;
    }
    if has_key_vault_reference(value) {
        return Unreadable::KeyVaultReference;
    }
    let value: String = value.split_ascii_whitespace().collect();
    let lower = value.to_ascii_lowercase();
    // The head of every DPAPI blob: version 1 and the GUID of Windows' own provider.
    if lower.starts_with("01000000d08c9ddf0115d111") || value.starts_with("AQAAANCMnd8BFdERjHoA") {
        return Unreadable::Dpapi;
    }
    if let Some(bytes) = hex(&value) {
        if bytes.len() >= 2
            && bytes.len() % 2 == 0
            && bytes.iter().skip(1).step_by(2).all(|b| *b == 0)
        {
            return Unreadable::NotEncrypted;
        }
        if bytes.len() % BLOCK == 0 {
            return Unreadable::Version1;
        }
    }
    match lower.find(HEADER) {
        Some(_) => return Unreadable::NotAtStart,
        None => match value.find(AFTER_HEADER) {
            Some(at) if value.as_bytes()[..at].iter().all(u8::is_ascii_hexdigit) => {
                return Unreadable::HeaderCutOff;
            }
            _ => {}
        },
    }
    Unreadable::NoHeader
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `None` unless there are pairs of hexadecimal digits alone.
fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |b: u8| char::from(b).to_digit(16);
    rest.is_empty().then_some(())?;
    pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8))
        .collect()
}

fn decrypt_blocks<'a, M: BlockModeDecrypt + KeyIvInit>(
    key: &Key,
    iv: &[u8],
    data: &'a mut [u8],
) -> Result<&'a [u8], Unreadable> {
    M::new_from_slices(key.bytes(), iv)
        .expect("a key is made in a cipher's size, an IV in the block's")
        .decrypt_padded::<Pkcs7>(data)
        .map_err(|_| Unreadable::WrongKey)
}

fn encrypt_blocks<'a, M: BlockModeEncrypt + KeyIvInit>(
    key: &Key,
    iv: &[u8],
    data: &'a mut [u8],
    length: usize,
) -> &'a [u8] {
    M::new_from_slices(key.bytes(), iv)
        .expect("a key is made in a cipher's size, an IV in the block's")
        .encrypt_padded::<Pkcs7>(data, length)
        .expect("there is a block of room for the padding")
}

#[cfg(test)]
mod tests;
