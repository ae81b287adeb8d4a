//! `handler look`: what a capture file shows, for an engineer who has the file and not the time to read packets. The
//! package `first-look` reads and words it; here are arguments, files and exit codes.

use super::{
    path::{self, is_dash},
    print,
    progress::Progress,
};
use first_look::{Context, Look, NamePolicy, Options, Seen};
use std::{
    fs::{self, File},
    io::{self, Read},
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// What a page starts with, to recognize a report of an earlier look.
const PAGE: &[u8] = b"<!doctype html";

/// Show what a packet capture contains
///
/// Reads a pcap or pcapng file once and prints figures, what stands out, and what to check next. Nothing is sent. The
/// exit code is 0 when the file is a capture, 1 when it is not, 2 when a file cannot be read or written.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Capture file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print everything as one JSON value
    #[arg(long, conflicts_with = "html")]
    json: bool,
    /// Write the report with its pictures to this file; - is standard output
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Address of the VM, once for each; without it, the address that takes part in most packets
    #[arg(long, value_name = "IP")]
    vm: Vec<IpAddr>,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    match look(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether the file is a capture.
fn look(arguments: &Arguments) -> Result<bool, String> {
    let is_input = is_dash(&arguments.file);
    let shown = match is_input {
        true => "standard input".into(),
        false => path::shown(&arguments.file),
    };
    let out = arguments.html.as_deref().filter(|out| !is_dash(out));
    if let Some(out) = out {
        may_be_written(out)?;
    }
    let for_people = !arguments.json && arguments.html.is_none();
    let mut context = Context::default();
    context.name = match arguments.file.file_name() {
        _ if is_input => shown.clone(),
        // The lines for TShark are to work in the folder where the command was typed. The page cleans the name.
        _ if for_people => arguments.file.to_string_lossy().into_owned(),
        // What is passed on keeps the folders of this machine to itself.
        name => name.map_or(shown.clone(), |name| path::shown(Path::new(name))),
    };
    let mut options = Options::default();
    options.vm.clone_from(&arguments.vm);
    let seen = match is_input {
        true => read(&mut io::stdin().lock(), options, context),
        false => open(&arguments.file, &mut context)
            .and_then(|mut file| read(&mut file, options, context)),
    };
    let seen = seen.map_err(|error| format!("could not read {shown}: {error}"))?;
    if arguments.json {
        print(&format!("{}\n", seen.json()))?;
    }
    if !seen.is_capture() {
        let problem = seen.problem().unwrap_or("The file is not a capture.");
        eprintln!("error: {shown}: {problem}");
        if let Some(fix) = seen.fix() {
            eprintln!("fix: {fix}");
        }
        return Ok(false);
    }
    match (&arguments.html, out) {
        (_, Some(out)) => {
            fs::write(out, seen.html())
                .map_err(|error| format!("could not write {}: {error}", path::shown(out)))?;
            let lines = seen.notice_lines(NamePolicy::Full).join("\n");
            print(&format!("{lines}\nReport: {}\n", path::shown(out)))?;
        }
        (Some(_), None) => print(&seen.html())?,
        (None, None) if for_people => print(&seen.text())?,
        (None, None) => {}
    }
    Ok(true)
}

/// Opens a file and notes its size, if it has one.
fn open(path: &Path, context: &mut Context) -> io::Result<File> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    context.whole_size = metadata.is_file().then_some(metadata.len());
    Ok(file)
}

/// Reads to the end, or to where nothing more can be learned.
fn read(from: &mut dyn Read, options: Options, context: Context) -> io::Result<Seen> {
    let mut look = Look::new(options);
    let mut progress = Progress::start(context.whole_size);
    let mut buffer = vec![0; CHUNK];
    while !look.is_over() {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                look.feed(&buffer[..count]);
                progress.add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(look.finish(&context))
}

/// Refuses to write the report over anything but a page: the two files are easily given in the wrong order, and a
/// capture cannot be made again.
fn may_be_written(out: &Path) -> Result<(), String> {
    let mut beginning = [0; PAGE.len()];
    let Ok(mut file) = File::open(out) else {
        return Ok(());
    };
    let is_page = file.read_exact(&mut beginning).is_ok() && beginning.eq_ignore_ascii_case(PAGE);
    let is_special = file
        .metadata()
        .is_ok_and(|it| !it.is_file() || it.len() == 0);
    match is_page || is_special {
        true => Ok(()),
        false => Err(format!(
            "{} exists and is not an HTML page: give another name after --html, or delete it first",
            path::shown(out)
        )),
    }
}
