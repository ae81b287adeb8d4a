//! From the alert to the PUT, in one process, with the network of one machine between: what the course costs and how many
//! calls are made in a row before the PUT. Beside it the parts: the plan from a list, the password's decryption.

#[allow(dead_code, reason = "the load counts calls, which is not needed here")]
#[path = "../examples/load/azure.rs"]
mod azure;

use std::{
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant},
};

use alert_packet_capture::{
    alert::Target,
    app::{App, Pace},
    azure::network_watcher::PacketCapture,
    capture::{
        CaptureName,
        plan::{Listed, plan},
    },
    config::{Settings, key_file::Key, secure_string},
};
use azure::{Azure, Options};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle};

/// The function in this process, and the Azure that it talks to.
struct World {
    azure: Azure,
    url: String,
    http: reqwest::Client,
    served: JoinHandle<()>,
}

async fn fake(round_trip: Duration) -> Azure {
    let options = Options {
        round_trip,
        watchers: 2,
        captures: 10,
        machines: 0,
        http2: true,
    };
    Azure::start(options).await.expect("the fake starts")
}

impl World {
    async fn start(round_trip: Duration) -> Self {
        Self::on(fake(round_trip).await).await
    }

    async fn on(azure: Azure) -> Self {
        let ca_file = std::env::temp_dir().join(format!("apc-bench-{}.pem", std::process::id()));
        std::fs::write(&ca_file, &azure.ca_pem).expect("a temporary file");
        let mut pairs = azure.app_settings();
        pairs.extend([
            ("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()),
            // Followed after the benchmark's end.
            (
                "PacketCapture__TimeLimitInSeconds".to_owned(),
                "18000".to_owned(),
            ),
            ("JobQueue__Capacity".to_owned(), "100000".to_owned()),
        ]);
        let settings = Settings::read(&pairs.into_iter().collect()).expect("good settings");
        let app = App::build(&settings, &Pace::default()).expect("the app is built");
        let _ = std::fs::remove_file(&ca_file);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!(
            "http://{}/api/AlertPacketCapture",
            listener.local_addr().expect("one")
        );
        let served = tokio::spawn(async move {
            let _ = app.serve(listener, std::future::pending()).await;
        });
        Self {
            azure,
            url,
            http: reqwest::Client::new(),
            served,
        }
    }

    /// Posts an alert of this machine and gives the time until its PUT arrives at Azure, and the calls in a row before.
    async fn to_put(&self, machine: &str, common: bool) -> (Duration, usize) {
        let awaited = self.azure.awaited(machine);
        let region = machine.rsplit('.').next().and_then(|it| it.parse().ok());
        let body = azure::alert(machine, region.unwrap_or_default(), common);
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .body(body);
        self.azure.record();
        let sent = Instant::now();
        let answered = tokio::spawn(request.send());
        let put = awaited.await.expect("a PUT");
        let took = put.saturating_duration_since(sent);
        let trips = self.azure.in_a_row(machine, sent, put);
        answered.await.expect("no panic").expect("an answer");
        (took, trips)
    }

    /// Leaves an ended capture of this machine on its watcher and lets another alert show it to the function. Returns
    /// when that one's list is too old to be believed.
    async fn leave_stale(&self, machine: &str) {
        let target = azure::machine_id(machine).parse().ok();
        let target = target.and_then(Target::of).expect("a machine");
        let name = CaptureName::parse("PSAzureFunction-{vm}").expect("a name");
        self.azure.add_stale(&name.of(&target, None));
        tokio::time::sleep(LIST_BELIEVED).await;
        self.to_put(&format!("{machine}.0"), false).await;
        tokio::time::sleep(LIST_BELIEVED).await;
    }
}

/// The remembered list is believed for a second.
const LIST_BELIEVED: Duration = Duration::from_millis(1_010);

/// What is in the way, or is known already.
#[derive(Clone, Copy, PartialEq)]
enum Course {
    Cold,
    Warm,
    /// The list was read for another alert less than a second ago.
    WarmAndListed,
    Stale,
}

fn alert_to_put(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let count = Cell::new(0u64);
    for rtt in [0, 50] {
        let mut group = criterion.benchmark_group(format!("alert_to_put_{rtt}_ms"));
        group.sample_size(10);
        let world = runtime.block_on(async {
            let world = World::start(Duration::from_millis(rtt)).await;
            world.to_put("first.0", false).await;
            world.to_put("first.1", false).await;
            world
        });
        for (name, course, common) in [
            ("warm_and_listed", Course::WarmAndListed, false),
            ("warm", Course::Warm, false),
            ("warm_common", Course::Warm, true),
            ("stale", Course::Stale, false),
            ("stale_common", Course::Stale, true),
            ("cold", Course::Cold, false),
            ("cold_common", Course::Cold, true),
        ] {
            let most_trips = Cell::new(None);
            let one = async || {
                count.set(count.get() + 1);
                let machine = format!("m{}.0", count.get());
                let (took, trips) = match course {
                    Course::Cold => {
                        let azure = fake(Duration::from_millis(rtt)).await;
                        azure.list_machine(&machine);
                        let cold = World::on(azure).await;
                        // What is read ahead of alerts is there.
                        tokio::time::sleep(Duration::from_millis(4 * rtt + 200)).await;
                        let measured = cold.to_put(&machine, common).await;
                        cold.served.abort();
                        measured
                    }
                    Course::Warm => {
                        tokio::time::sleep(LIST_BELIEVED).await;
                        world.to_put(&machine, common).await
                    }
                    Course::WarmAndListed => {
                        // Its list may have just become too old: the second finds it new.
                        world.to_put(&format!("{machine}.0"), common).await;
                        count.set(count.get() + 1);
                        world.to_put(&format!("m{}.0", count.get()), common).await
                    }
                    Course::Stale => {
                        world.leave_stale(&machine).await;
                        world.to_put(&machine, common).await
                    }
                };
                most_trips.set(most_trips.get().max(Some(trips)));
                took
            };
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|times| {
                    runtime.block_on(async {
                        let mut took = Duration::ZERO;
                        for _ in 0..times {
                            took += one().await;
                        }
                        took
                    })
                });
            });
            if let Some(trips) = most_trips.get() {
                println!("{name}: at most {trips} calls in a row before the PUT");
            }
        }
        group.finish();
        world.served.abort();
    }
}

fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    for count in [10, 10_000] {
        let captures: Vec<PacketCapture> = (0..count)
            .map(|n| PacketCapture {
                name: format!("of-another-user-{n:05}"),
                target: format!(
                    "{}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m{n}",
                    azure::SUBSCRIPTION
                ),
                provisioning_state: "Succeeded".to_owned(),
                ..PacketCapture::default()
            })
            .collect();
        let name = CaptureName::parse("PSAzureFunction-{vm}").expect("a name");
        group.bench_function(format!("{count}_listed"), |bencher| {
            bencher.iter_batched(
                || captures.clone(),
                |captures| {
                    let mut listed = Listed::default();
                    for capture in captures {
                        listed.add(capture, "PSAzureFunction-web-01-42f11a16", |it| {
                            alert_packet_capture::capture::is_ours(&name, it)
                        });
                    }
                    matches!(
                        plan(black_box(&listed), 20_000),
                        alert_packet_capture::capture::plan::Plan::Create
                    )
                },
                criterion::BatchSize::LargeInput,
            )
        });
    }
    group.finish();
}

/// Key file and encrypted string as they are; a client secret has some forty characters.
fn password(criterion: &mut Criterion) {
    let key = Key::generate().expect("a key");
    let value =
        secure_string::encrypt("8Q~load-test.0123456789_abcdefghijklmno", &key).expect("a string");
    criterion.bench_function("password", |bencher| {
        bencher.iter(|| secure_string::decrypt(black_box(&value), &key).is_ok())
    });
}

criterion_group!(benches, plans, password, alert_to_put);
criterion_main!(benches);
