//! A short bad night (examples/soak has the long ones): Azure, the job queue and the receiver answer at random with
//! everything that was ever seen of them, and each accepted alert still has exactly one final notification. Seeded;
//! deadlines are as short as the night.

#[path = "../../../examples/soak/night/mod.rs"]
mod night;

use alert_packet_capture::{
    app::{App, Pace},
    azure::retry::RetryLimits,
    config::Settings,
};
use night::{Azure, Plan, Receiver};
use std::time::Duration;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};

const SEED: u64 = 20_261_128;
/// How long the app may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Everything is given up within the night.
fn pace() -> Pace {
    let mut pace = Pace {
        retry: RetryLimits {
            first_wait: Duration::from_millis(5),
            ..RetryLimits::default()
        },
        try_timeout: Duration::from_secs(1),
        poll: (Duration::from_millis(100), Duration::from_secs(1)),
        first_pause: Duration::from_millis(50),
        longest_look: Duration::from_secs(1),
        create_within: Some(Duration::from_secs(3)),
        start_within: Duration::from_secs(3),
        ..Pace::default()
    };
    pace.notification.total = Duration::from_secs(1);
    pace
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_a_bad_night_each_alert_has_exactly_one_final_notification() {
    let ca_file = std::env::temp_dir().join(format!("apc-soak-{}.pem", std::process::id()));
    let operation = Duration::from_millis(200);
    let azure = Azure::start(operation, Some(ca_file.clone())).await;
    let azure = azure.expect("the sandbox starts");
    let receiver = Receiver::start(SEED, Duration::from_millis(500)).await;
    let receiver = receiver.expect("a port");
    let mut pairs = [azure.settings(), receiver.settings()].concat();
    pairs.push(("SSL_CERT_FILE".to_owned(), ca_file.display().to_string()));
    for (name, value) in &mut pairs {
        match name.as_str() {
            "PacketCapture__TimeLimitInSeconds" | "PacketCapture__ReplyWaitSeconds" => {
                *value = "1".to_owned();
            }
            "JobQueue__VisibilityTimeoutSeconds" => *value = "5".to_owned(),
            _ => {}
        }
    }
    let settings = Settings::read(&pairs.into_iter().collect()).expect("good settings");
    let app = App::build(&settings, &pace()).expect("the app is built");
    // Read by now; nothing else needs it.
    let _ = std::fs::remove_file(ca_file);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        app.serve(listener, stopped).await.expect("the app serves");
    });

    let (_urls, listening) = watch::channel(Some(url));
    let plan = Plan {
        lasts: Duration::from_secs(8),
        seed: SEED,
        senders: 4,
        pause: Duration::from_millis(400),
        drain: Duration::from_secs(60),
        longest: Duration::from_secs(3),
        kills: false,
    };
    let verdict = night::run(&plan, &azure, &receiver, listening, |_| ()).await;
    println!("{verdict}");
    assert!(verdict.wrong.is_empty(), "{:#?}", verdict.wrong);

    let _ = stop.send(());
    let stopped = tokio::time::timeout(STOP_WITHIN, served).await;
    stopped.expect("it stops in time").expect("it stops");
}
