//! Single alerts, case by case: how many calls in a row the capture waits for, and how long. Two executables are measured in
//! turn, so that both meet the same machine in the same mood.

use crate::{
    arguments::Arguments,
    azure::{self, Azure},
    process::Handler,
    report::{mib, percentile, short},
};
use alert_packet_capture::{alert::Target, capture::CaptureName};
use serde_json::{Value, json};
use std::{
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

type Failure = Box<dyn Error>;

/// Number of alerts, or of starts, of each case.
const TIMES: usize = 11;
/// What was read of a watcher is believed for a second.
const APART: Duration = Duration::from_millis(1_050);
/// What is read ahead of alerts has come by then.
const SETTLED: Duration = Duration::from_secs(2);
/// Watchers, each in a region of its own.
const REGIONS: usize = 4;

/// The function app's region.
const HOME: usize = 0;

/// What an alert meets.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// A capture of an earlier alert is in the way.
    stale: bool,
    /// The common schema does not say the region.
    common: bool,
}

const WARM: [Case; 4] = [
    Case {
        name: "no stale capture, region in the alert",
        stale: false,
        common: false,
    },
    Case {
        name: "no stale capture, common schema",
        stale: false,
        common: true,
    },
    Case {
        name: "stale capture, region in the alert",
        stale: true,
        common: false,
    },
    Case {
        name: "stale capture, common schema",
        stale: true,
        common: true,
    },
];

/// An executable.
struct Build {
    name: &'static str,
    path: PathBuf,
}

/// The first alert after a start, in the common schema, of a machine that the subscription lists in the function app's
/// region.
const FIRST: [(&str, Duration); 2] = [
    ("first alert, with the first answer", Duration::ZERO),
    (
        "first alert, a second after the start",
        Duration::from_secs(1),
    ),
];

/// Milliseconds of one case and one build, and the calls in a row.
#[derive(Default)]
struct Measured {
    took: Vec<Duration>,
    trips: Vec<usize>,
}

impl Measured {
    fn into_json(mut self) -> Value {
        self.took.sort_unstable();
        self.trips.sort_unstable();
        let trips = |at: usize| self.trips.get(at).copied();
        json!({
            "p50": short(percentile(&self.took, 50)),
            "p90": short(percentile(&self.took, 90)),
            "trips": trips(self.trips.len() / 2),
            "mostTrips": trips(self.trips.len().saturating_sub(1)),
        })
    }
}

/// # Errors
/// A handler that does not start or does not create a capture.
pub async fn measure(
    arguments: &Arguments,
    azure: &Azure,
    path: &Path,
    settings: &[(String, String)],
) -> Result<Value, Failure> {
    let after = Build {
        name: "after",
        path: path.to_owned(),
    };
    let before = arguments.before.as_ref().map(|path| Build {
        name: "before",
        path: path.clone(),
    });
    let builds: Vec<Build> = before.into_iter().chain([after]).collect();
    let mut settings = settings.to_vec();
    // Followed after the measurement.
    let limit = "PacketCapture__TimeLimitInSeconds".to_owned();
    settings.push((limit, "18000".to_owned()));
    settings.push(("REGION_NAME".to_owned(), format!("region{HOME}")));
    let mut rows = warm(azure, &builds, &settings).await?;
    rows.extend(first(azure, &builds, &settings).await?);
    rows.push(starts(azure, &builds)?);
    rows.push(idle("idle memory", &builds, &settings).await?);
    settings.retain(|(name, _)| name != "PacketCapture__AllowedScopes");
    rows.push(idle("idle memory, nothing read ahead", &builds, &settings).await?);
    Ok(json!({
        "rttMs": arguments.rtt.as_millis() as u64,
        "machines": arguments.machines,
        "times": TIMES,
        "rows": rows,
    }))
}

async fn warm(
    azure: &Azure,
    builds: &[Build],
    settings: &[(String, String)],
) -> Result<Vec<Value>, Failure> {
    let machine =
        |build: &Build, case: usize, n: usize| format!("{}{case}-{n}.{}", build.name, n % REGIONS);
    // The captures that are in the way were there before, so that an earlier list has shown them.
    for (case, _) in WARM.iter().enumerate().filter(|(_, case)| case.stale) {
        for (build, n) in builds
            .iter()
            .flat_map(|build| (0..TIMES).map(move |n| (build, n)))
        {
            azure.add_stale(&capture_name(&machine(build, case, n))?);
        }
    }
    let mut handlers = Vec::new();
    for build in builds {
        let handler = Handler::start(&build.path, settings)?;
        tokio::time::sleep(SETTLED).await;
        for region in 0..REGIONS {
            alert(
                azure,
                &handler,
                &format!("{}-first.{region}", build.name),
                true,
            )
            .await?;
        }
        handlers.push(handler);
    }
    let mut rows = Vec::new();
    for (at, case) in WARM.iter().enumerate() {
        let mut measured: Vec<Measured> = builds.iter().map(|_| Measured::default()).collect();
        for n in 0..TIMES {
            tokio::time::sleep(APART).await;
            for ((build, handler), measured) in builds.iter().zip(&handlers).zip(&mut measured) {
                let machine = machine(build, at, n);
                let (took, trips) = alert(azure, handler, &machine, case.common).await?;
                measured.took.push(took);
                measured.trips.push(trips);
            }
        }
        rows.push(row(case.name, builds, measured));
    }
    Ok(rows)
}

async fn first(
    azure: &Azure,
    builds: &[Build],
    settings: &[(String, String)],
) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    for (case, (name, after)) in FIRST.iter().enumerate() {
        let mut measured: Vec<Measured> = builds.iter().map(|_| Measured::default()).collect();
        for n in 0..TIMES {
            for (build, measured) in builds.iter().zip(&mut measured) {
                let machine = format!("{}first{case}-{n}.{}", build.name, HOME);
                azure.list_machine(&machine);
                let handler = Handler::start(&build.path, settings)?;
                tokio::time::sleep(*after).await;
                let (took, trips) = alert(azure, &handler, &machine, true).await?;
                measured.took.push(took);
                measured.trips.push(trips);
            }
        }
        rows.push(row(name, builds, measured));
    }
    Ok(rows)
}

fn starts(azure: &Azure, builds: &[Build]) -> Result<Value, Failure> {
    let production = azure.production_settings();
    let mut measured: Vec<Measured> = builds.iter().map(|_| Measured::default()).collect();
    for _ in 0..TIMES {
        for (build, measured) in builds.iter().zip(&mut measured) {
            let handler = Handler::start(&build.path, &production)?;
            measured.took.push(handler.started_within);
        }
    }
    Ok(row("start to the first answer", builds, measured))
}

async fn idle(
    case: &str,
    builds: &[Build],
    settings: &[(String, String)],
) -> Result<Value, Failure> {
    let mut row = json!({ "case": case });
    for build in builds {
        let handler = Handler::start(&build.path, settings)?;
        tokio::time::sleep(SETTLED).await;
        row[build.name] = json!({ "MiB": short(mib(handler.cost()?.resident)) });
    }
    Ok(row)
}

fn row(case: &str, builds: &[Build], measured: Vec<Measured>) -> Value {
    let mut row = json!({ "case": case });
    for (build, measured) in builds.iter().zip(measured) {
        row[build.name] = measured.into_json();
    }
    row
}

/// Sends an alert about this machine: the time until its PUT, and the calls in a row before it.
async fn alert(
    azure: &Azure,
    handler: &Handler,
    machine: &str,
    common: bool,
) -> Result<(Duration, usize), Failure> {
    let put = azure.awaited(machine);
    let region = machine.rsplit('.').next().and_then(|it| it.parse().ok());
    let body = azure::alert(machine, region.unwrap_or_default(), common);
    let request = reqwest::Client::new()
        .post(format!("{}/api/AlertPacketCapture", handler.address))
        .header("content-type", "application/json")
        .body(body);
    azure.record();
    let sent = Instant::now();
    let answer = tokio::spawn(request.send());
    let put = tokio::time::timeout(Duration::from_secs(30), put).await??;
    let trips = azure.in_a_row(machine, sent, put);
    answer.await??;
    Ok((put.saturating_duration_since(sent), trips))
}

fn capture_name(machine: &str) -> Result<String, Failure> {
    let id = azure::machine_id(machine).parse()?;
    let target = Target::of(id).ok_or("no machine")?;
    let name = CaptureName::parse("PSAzureFunction-{vm}")?;
    Ok(name.of(&target, None))
}

/// The report as a table.
pub fn as_text(report: &Value) -> String {
    let mut lines = vec![format!(
        "single alerts at {} ms a call, {} of each case; milliseconds to the PUT and calls in a row before it",
        report["rttMs"], report["times"]
    )];
    for row in report["rows"].as_array().into_iter().flatten() {
        let mut line = format!("{:40}", row["case"].as_str().unwrap_or_default());
        for build in ["before", "after"] {
            let Some(measured) = row.get(build) else {
                continue;
            };
            let figure = match (measured["MiB"].as_f64(), measured["p50"].as_f64()) {
                (Some(memory), _) => format!("{memory:.1} MiB"),
                (_, Some(took)) => format!("{took:.1} ms"),
                _ => String::new(),
            };
            line += &format!("  {build} {figure:>9}");
            if let Some(trips) = measured["trips"].as_u64() {
                line += &format!(", {trips} in a row (at most {})", measured["mostTrips"]);
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}
