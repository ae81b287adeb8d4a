//! Prints what a capture file shows: `cargo run -p first-look --example look -- FILE [--json | --html | --lines]`.

use std::fs::File;
use std::io::{self, Read};

use first_look::{Context, Look, NamePolicy, Options};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or_else(|| io::Error::other("which FILE?"))?;
    let mut file = File::open(&path)?;
    let mut look = Look::new(Options::default());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => look.feed(&buffer[..count]),
        }
    }
    let mut context = Context::default();
    context.name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    let seen = look.finish(&context);
    match arguments.next().as_deref() {
        Some("--json") => println!("{:#}", seen.json()),
        Some("--html") => println!("{}", seen.html()),
        Some("--lines") => println!("{}", seen.notice_lines(NamePolicy::Full).join("\n")),
        _ => print!("{}", seen.text()),
    }
    Ok(())
}
