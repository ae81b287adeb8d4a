//! The handler's process, as the Functions host starts it, and what Linux says of it.

use std::{
    error::Error,
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running handler. It ends with this value.
pub struct Handler {
    child: Child,
    pub address: String,
    /// From the start of the process to the first answer.
    pub started_within: Duration,
}

/// What a process has cost so far.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub cpu: Duration,
    /// Resident memory now and at its highest, in KiB.
    pub resident: u64,
    pub highest: u64,
}

/// Builds the handler as it goes to production.
pub fn build() -> Result<PathBuf, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/production");
    let status = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args([
            "build",
            "--release",
            "--package",
            "alert-packet-capture",
            "--bin",
            "handler",
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root)
        .status()?;
    match status.success() {
        true => Ok(target.join("release/handler")),
        false => Err("the handler could not be built".into()),
    }
}

impl Handler {
    pub fn start(path: &Path, settings: &[(String, String)]) -> Result<Self, Box<dyn Error>> {
        // Free a moment ago: no other process takes ports in that order.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let began = Instant::now();
        let child = Command::new(path)
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", path.display()))?;
        let mut handler = Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
            started_within: Duration::ZERO,
        };
        while began.elapsed() < Duration::from_secs(10) {
            if answers(port) {
                handler.started_within = began.elapsed();
                return Ok(handler);
            }
            if let Some(status) = handler.child.try_wait()? {
                return Err(format!("the handler ended at once: {status}").into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Err("the handler does not answer".into())
    }

    /// # Errors
    /// Where there is no `/proc`.
    pub fn cost(&self) -> Result<Cost, Box<dyn Error>> {
        let id = self.child.id();
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name, in brackets, may hold anything.
        let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let kib = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().split(' ').next()?.parse().ok()
        };
        Ok(Cost {
            // Linux counts in hundredths of a second, whatever the kernel's own clock does.
            cpu: Duration::from_millis(ticks * 10),
            resident: kib("VmRSS:").ok_or("no VmRSS")?,
            highest: kib("VmHWM:").ok_or("no VmHWM")?,
        })
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<usize> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        stream.read(&mut [0; 64])
    };
    ask().is_ok_and(|read| read > 0)
}
