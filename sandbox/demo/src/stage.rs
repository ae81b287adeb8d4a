//! Sets the scene: the sandbox with a stale capture on a watcher, and the function against it, all in this
//! process and over real HTTP.

use crate::{Failure, arguments::Mode, desk::Desk};
use alert_packet_capture::{
    app::{App, Pace},
    config::Settings,
};
use azure_sandbox::{
    ExistingCapture, Options, Progress, ResourceChange, Sandbox, SessionStatus, Traffic, samples,
};
use serde_json::json;
use std::{fs, io, net::Ipv4Addr, path::PathBuf, time::Duration};
use time::OffsetDateTime;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// How long a create takes: short, so that the demo is; in Azure up to a minute.
const OPERATION: Duration = Duration::from_millis(500);
/// Where `func start` and the handler listen by default.
const USUAL_APP_PORT: u16 = 7071;

pub struct Stage {
    pub azure: Sandbox,
    pub function: Option<Function>,
    /// What the demo leaves behind: capture files, sample alerts, the CA's certificate.
    pub directory: PathBuf,
    pub ca_file: PathBuf,
    /// The URL of the webhook that the function notifies.
    desk: String,
}

/// The running function.
pub struct Function {
    pub url: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Stage {
    /// The sandbox, without the function.
    pub async fn set(mode: Mode, desk: &Desk) -> Result<Self, Failure> {
        let directory = directory()?;
        fs::create_dir_all(&directory)
            .map_err(|error| format!("{} could not be created: {error}", directory.display()))?;
        // A demo beside a sandbox that stays must not take its certificate away.
        let ca_file = directory.join(match mode.stays {
            true => "ca.pem".to_owned(),
            false => format!("ca-{}.pem", std::process::id()),
        });
        let options = Options {
            port: mode.port,
            progress: Progress::Auto {
                operation: OPERATION,
                retry_after_seconds: 1,
            },
            captures_dir: Some(directory.clone()),
            traffic: Traffic::Incident,
            ca_file: Some(ca_file.clone()),
            ..Options::default()
        };
        let azure = Sandbox::start(options).await.map_err(|error| {
            format!(
                "could not start the sandbox on 127.0.0.1:{}: {error}; is another one running? --port N takes another port",
                mode.port
            )
        })?;
        samples::populate(&azure);
        azure.add_capture(stale_capture());
        before_the_alert(&azure);
        Ok(Self {
            azure,
            function: None,
            directory,
            ca_file,
            desk: desk.url.clone(),
        })
    }

    /// Starts the function. It signs in at once, so a watcher of the calls subscribes before.
    pub async fn start_function(&mut self, mode: Mode) -> Result<(), Failure> {
        if mode.app {
            let function = Function::start(self, mode.stays).await?;
            self.function = Some(function);
        }
        if !mode.stays {
            // The function has read it, and no other process needs it.
            let _ = fs::remove_file(&self.ca_file);
        }
        Ok(())
    }

    /// Lets the function end what is under way.
    pub async fn strike(&mut self) {
        if let Some(function) = self.function.take() {
            let _ = function.stop.send(());
            let _ = function.served.await;
        }
    }
}

impl Function {
    async fn start(stage: &Stage, usual_port: bool) -> Result<Self, Failure> {
        let mut settings = stage.azure.app_settings();
        let ca_file = stage.ca_file.display().to_string();
        settings.push(("SSL_CERT_FILE".to_owned(), ca_file));
        settings.push(("Changes__EffectiveRules".to_owned(), "true".to_owned()));
        settings.push(("Notification__WebhookUrl".to_owned(), stage.desk.clone()));
        let settings = Settings::read(&settings.into_iter().collect())?;
        let app = App::build(&settings, &Pace::default())?;
        let any = (Ipv4Addr::LOCALHOST, 0);
        let listener = match usual_port {
            true => match TcpListener::bind((Ipv4Addr::LOCALHOST, USUAL_APP_PORT)).await {
                Ok(listener) => listener,
                Err(_) => TcpListener::bind(any).await?,
            },
            false => TcpListener::bind(any).await?,
        };
        let url = format!("http://{}/api/AlertPacketCapture", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(app.serve(listener, async {
            let _ = stopped.await;
        }));
        Ok(Self { url, stop, served })
    }
}

/// What a deployment did some minutes before the alert: the database no longer answers.
fn before_the_alert(azure: &Sandbox) {
    azure.change(ResourceChange::rule_added(samples::NSG_WEB, "deny-sql", 12));
    let rule = |name: &str, access: &str, priority: u32, destination: &str, port: &str| {
        json!({
            "name": name, "protocol": "Tcp", "direction": "Outbound",
            "access": access, "priority": priority,
            "sourceAddressPrefix": "0.0.0.0/0", "sourcePortRange": "0-65535",
            "destinationAddressPrefix": destination, "destinationPortRange": port,
        })
    };
    let groups = json!([{
        "networkSecurityGroup": { "id": samples::NSG_WEB },
        "association": { "subnet": { "id": samples::SUBNET_WEB } },
        "effectiveSecurityRules": [
            rule("securityRules/deny-sql", "Deny", 200, "10.1.2.0/24", "1433-1433"),
            rule("defaultSecurityRules/AllowVnetOutBound", "Allow", 65_000, "10.1.0.0/16", "0-65535"),
            rule("defaultSecurityRules/AllowInternetOutBound", "Allow", 65_001, "0.0.0.0/0", "0-65535"),
            rule("defaultSecurityRules/DenyAllOutBound", "Deny", 65_500, "0.0.0.0/0", "0-65535"),
        ],
    }]);
    let routes = json!([{
        "source": "Default", "state": "Active", "addressPrefix": ["10.1.0.0/16"],
        "nextHopType": "VnetLocal", "nextHopIpAddress": [],
    }]);
    azure.set_effective(samples::NIC_WEB_01, groups, routes);
}

/// Left over from an earlier alert about another machine, under the name that our captures have.
fn stale_capture() -> ExistingCapture {
    ExistingCapture {
        watcher: samples::WATCHER_WESTEUROPE.to_owned(),
        name: "PSAzureFunction".to_owned(),
        target: samples::WEB_02.to_owned(),
        status: SessionStatus::Stopped,
        started: Some(OffsetDateTime::now_utc() - time::Duration::days(3)),
        time_limit_seconds: 10,
        stop_reason: Some("TimeExceeded".to_owned()),
    }
}

/// `target/sandbox` of the package around the current directory, where Git ignores it and `cargo clean` removes
/// it; without one, `.sandbox` in the current directory.
fn directory() -> io::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let package = here
        .ancestors()
        .find(|above| above.join("Cargo.toml").is_file() && above.join("target").is_dir());
    Ok(match package {
        Some(package) => package.join("target").join("sandbox"),
        None => here.join(".sandbox"),
    })
}
