//! Microsoft's storage emulator, its queue service alone, for as long as a test runs.
//! <https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite>

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub struct Azurite {
    child: Child,
    port: u16,
}

impl Azurite {
    /// Starts it on a free port of 127.0.0.1; panics with what to do when it is not installed.
    pub fn start() -> Self {
        // Free a moment ago; Azurite cannot be handed a listener.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let executable = executable();
        let spawned = Command::new(&executable)
            .args(["--queueHost", "127.0.0.1", "--queuePort", &port.to_string()])
            // The SDK is newer than the emulator.
            .args([
                "--skipApiVersionCheck",
                "--disableTelemetry",
                "--inMemoryPersistence",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}). Install the emulator with `npm install azurite@3.35`, or name its executable in AZURITE_QUEUE",
                executable.display()
            )
        });
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("successfully listens on"));
        let azurite = Self { child, port };
        let azurite = azurite.or_fail(ready);
        // Its access log must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        azurite
    }

    fn or_fail(mut self, ready: bool) -> Self {
        if !ready {
            let mut output = String::new();
            let _ = self.child.kill();
            if let Some(mut errors) = self.child.stderr.take() {
                let _ = errors.read_to_string(&mut output);
            }
            panic!("azurite-queue ended without listening: {output}");
        }
        self
    }

    /// With the account and key that every emulator has.
    pub fn connection(&self) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;QueueEndpoint=http://127.0.0.1:{}/devstoreaccount1",
            self.port
        )
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one that is named, else one that npm has put here, else the one on the path.
fn executable() -> PathBuf {
    if let Some(named) = std::env::var_os("AZURITE_QUEUE") {
        return named.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["node_modules", "target/azurite/node_modules"]
        .iter()
        .map(|place| root.join(place).join(".bin/azurite-queue"))
        .find(|path| path.exists())
        .unwrap_or_else(|| "azurite-queue".into())
}
