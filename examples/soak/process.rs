//! The handler's process: started, killed and started again, stopped, and what Linux says of its memory.

use std::{
    error::Error,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

/// How long the handler takes to listen, at most.
const START_WITHIN: Duration = Duration::from_secs(20);

/// A running handler. It is killed with this value.
pub struct Handler {
    child: Child,
    pub url: String,
}

/// Builds the handler in the profile of this example, and says where it is.
pub fn build() -> Result<PathBuf, Box<dyn Error>> {
    // target/PROFILE/examples/soak
    let own = std::env::current_exe()?;
    let profile = own.ancestors().nth(2).ok_or("no target directory")?;
    let mut cargo = std::process::Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args([
        "build",
        "--package",
        "alert-packet-capture",
        "--bin",
        "handler",
    ]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    match built.success() {
        true => Ok(profile.join("handler")),
        false => Err("the handler could not be built".into()),
    }
}

impl Handler {
    /// Starts it and waits until it listens. Its log goes to the end of the file.
    pub async fn start(
        path: &Path,
        settings: &[(String, String)],
        log: Option<&Path>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(path)
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(match log {
                Some(path) => File::options().create(true).append(true).open(path)?.into(),
                None => Stdio::null(),
            })
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} could not be started: {error}", path.display()))?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no log")?).lines();
        let mut file = match log {
            Some(path) => Some(tokio::fs::File::options().append(true).open(path).await?),
            None => None,
        };
        let listens = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.rsplit_once("listening on ") {
                    return Ok(url.to_owned());
                }
            }
            Err(io::Error::other("the handler ended at once"))
        };
        let url = tokio::time::timeout(START_WITHIN, listens).await??;
        // A pipe that nothing reads would stop it.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(file) = &mut file {
                    let _ = file.write_all(format!("{line}\n").as_bytes()).await;
                }
            }
        });
        Ok(Self { child, url })
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// SIGKILL on Unix.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// SIGTERM; how long it took to end, and how.
    pub async fn stop(
        mut self,
        within: Duration,
    ) -> Result<(Duration, ExitStatus), Box<dyn Error>> {
        let id = self.child.id().ok_or("it has ended before")?;
        let sent = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        if !sent.success() {
            return Err("SIGTERM could not be sent".into());
        }
        let began = Instant::now();
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        let ended = ended.map_err(|_| format!("it did not stop within {within:?}"))?;
        Ok((began.elapsed(), ended?))
    }

    /// Resident memory in KiB.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn resident(&self) -> Result<u64, Box<dyn Error>> {
        let id = self.child.id().ok_or("the handler has ended")?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmRSS")?.parse()?)
    }
}
