//! The key file of an encrypted password, `PassEncryptKey.key`: one number a line, as PowerShell's
//! `Set-Content` writes an array of bytes. Years of editors, shells and checkouts have made more forms of it;
//! all that PowerShell can read is read here, and raw bytes too.

use rand::{TryRng, rngs::SysRng};
use std::fmt;
use zeroize::Zeroizing;

/// A key of 16, 24 or 32 bytes. It does not print and is wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// `None` unless there are 16, 24 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        is_key_size(bytes.len()).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// 32 bytes from the system's generator.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, std::io::Error> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        SysRng
            .try_fill_bytes(&mut bytes)
            .map_err(std::io::Error::other)?;
        Ok(Self(bytes))
    }

    /// Reads a key file's bytes. Text is preferred: a file of numbers is never taken for raw bytes, whatever
    /// its length.
    ///
    /// # Errors
    /// What the file holds instead of a key, without its content.
    pub fn read(file: &[u8]) -> Result<Self, KeyFileError> {
        if file.is_empty() {
            return Err(KeyFileError::Empty);
        }
        let lines = match text_of(file) {
            Some(text) => Lines::read(&text),
            None => Lines::Words {
                line: 0,
                numbers: 0,
            },
        };
        let raw = is_key_size(file.len());
        match lines {
            Lines::Numbers(numbers) => key_of(&numbers),
            Lines::Words { .. } if raw => Ok(Self(Zeroizing::new(file.to_vec()))),
            Lines::Words { line: 0, .. } => Err(KeyFileError::Binary { bytes: file.len() }),
            Lines::Words { line, numbers } => Err(KeyFileError::NotANumber { line, numbers }),
        }
    }

    /// The text of a key file that PowerShell reads with `-Key (Get-Content FILE)`.
    pub fn to_file(&self) -> Zeroizing<String> {
        // Room for every line, so that no half-written copy is left behind in memory.
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().saturating_mul(4)));
        for byte in self.0.iter() {
            text.push_str(Zeroizing::new(byte.to_string()).as_str());
            text.push('\n');
        }
        text
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key of {} bytes", self.0.len())
    }
}

/// What a file holds that is no key file. Says where, never what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    #[error("is empty; a key file has 16, 24 or 32 lines with a number from 0 to 255 each")]
    Empty,
    #[error(
        "holds {found} numbers; a key has 16, 24 or 32 of them, one a line: was the file cut off or edited?"
    )]
    Count { found: usize },
    #[error("line {line} is a number outside 0 to 255")]
    NotAByte { line: usize },
    #[error(
        "line {line} is not a number ({numbers} lines of the file are); a key file has 16, 24 or 32 lines with a number from 0 to 255 each"
    )]
    NotANumber { line: usize, numbers: usize },
    #[error(
        "holds {bytes} bytes that are no text; a raw key has 16, 24 or 32 bytes, a key file of text that many lines"
    )]
    Binary { bytes: usize },
}

fn is_key_size(count: usize) -> bool {
    matches!(count, 16 | 24 | 32)
}

/// A line's value: `None` when it is blank, [`NO_BYTE`] for any number that is no byte.
type Number = Option<u16>;

const NO_BYTE: u16 = 256;

enum Lines {
    /// Every line is a number or blank.
    Numbers(Zeroizing<Vec<Number>>),
    /// `line` is the first that is neither, from 1; 0 when it is no text at all.
    Words { line: usize, numbers: usize },
}

impl Lines {
    fn read(text: &str) -> Self {
        let lines = split_lines(text);
        // All on one line, with commas: PowerShell would not read it, people write it all the same.
        let fields: Vec<&str> = match lines.as_slice() {
            [line, blank @ ..]
                if line.contains(',') && blank.iter().all(|b| b.trim().is_empty()) =>
            {
                line.split(',').collect()
            }
            _ => lines.clone(),
        };
        let mut numbers = Zeroizing::new(Vec::with_capacity(fields.len()));
        let mut word = None;
        for (index, field) in fields.iter().enumerate() {
            match field.trim() {
                "" => numbers.push(None),
                field => match number(field) {
                    Some(number) => numbers.push(Some(number)),
                    None => word = word.or(Some(index.saturating_add(1))),
                },
            }
        }
        match word {
            None => Self::Numbers(numbers),
            Some(_) if !is_readable(text) => Self::Words {
                line: 0,
                numbers: 0,
            },
            Some(line) => Self::Words {
                line: if fields.len() == lines.len() { line } else { 1 },
                numbers: numbers.iter().flatten().count(),
            },
        }
    }
}

/// Blank lines count as 0 if the count is right so, as PowerShell counts them; else they are left out.
fn key_of(lines: &[Number]) -> Result<Key, KeyFileError> {
    let found = lines.iter().flatten().count();
    if found == 0 {
        return Err(KeyFileError::Empty);
    }
    if let Some(index) = lines.iter().position(|line| *line == Some(NO_BYTE)) {
        return Err(KeyFileError::NotAByte {
            line: index.saturating_add(1),
        });
    }
    let byte = |number: &Number| u8::try_from((*number)?).ok();
    let mut bytes = Zeroizing::new(Vec::with_capacity(lines.len()));
    if is_key_size(lines.len()) {
        bytes.extend(lines.iter().map(|line| byte(line).unwrap_or(0)));
    } else if is_key_size(found) {
        bytes.extend(lines.iter().filter_map(byte));
    } else {
        return Err(KeyFileError::Count { found });
    }
    Ok(Key(bytes))
}

/// A number as PowerShell's conversion to an integer takes it: `7`, `+7`, `007`, `0x1F`, `1e2`. `None` when it
/// is a word.
fn number(text: &str) -> Option<u16> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'+' => (false, &text[1..]),
        b'-' => (true, &text[1..]),
        _ => (false, text),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        if hex.is_empty() || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u64::from_str_radix(hex, 16).map_or(f64::INFINITY, |value| value as f64)
    } else {
        let shape = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
        // Without the first look, `parse` would take "inf" for a number.
        if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.bytes().all(shape) {
            return None;
        }
        digits.parse().ok()?
    };
    let value = if negative { -value } else { value };
    let is_byte = (0.0..=255.0).contains(&value) && value.fract() == 0.0;
    Some(if is_byte { value as u16 } else { NO_BYTE })
}

/// The file as text. A byte order mark says how it is encoded; without one the digits are the same in UTF-8
/// and in every ANSI code page.
fn text_of(file: &[u8]) -> Option<Zeroizing<String>> {
    let units = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        rest.is_empty().then_some(())?;
        let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(2)));
        for unit in char::decode_utf16(pairs.iter().copied().map(read)) {
            text.push(unit.ok()?);
        }
        Some(text)
    };
    let scalars = |bytes: &[u8], read: fn([u8; 4]) -> u32| {
        let (quads, rest) = bytes.as_chunks::<4>();
        rest.is_empty().then_some(())?;
        let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
        for quad in quads {
            text.push(char::from_u32(read(*quad))?);
        }
        Some(text)
    };
    match file {
        [0xEF, 0xBB, 0xBF, text @ ..] => utf8(text),
        // Before UTF-16, whose mark is the first half of this one.
        [0xFF, 0xFE, 0, 0, text @ ..] => scalars(text, u32::from_le_bytes),
        [0, 0, 0xFE, 0xFF, text @ ..] => scalars(text, u32::from_be_bytes),
        [0xFF, 0xFE, text @ ..] => units(text, u16::from_le_bytes),
        [0xFE, 0xFF, text @ ..] => units(text, u16::from_be_bytes),
        text => utf8(text),
    }
}

fn utf8(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// Text that one could name a line of, rather than bytes that happen to be UTF-8.
fn is_readable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c.is_whitespace())
}

/// Lines end at CR LF, LF or a lone CR; an end after the last line starts no further one.
fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        lines.push(line);
        rest = after
            .strip_prefix("\r\n")
            .or(after.strip_prefix(['\r', '\n']))
            .unwrap_or(after);
    }
    lines
}

#[cfg(test)]
mod tests;
