//! The sandbox of a bad night: regions and machines, captures of others that must be left alone, and what is done to
//! it from second to second.

use azure_sandbox::{
    Call, CaptureView, Chances, ExistingCapture, Fault, Oddity, Options, PollUrls, Progress,
    Sandbox, SessionStatus, What, samples,
};
use rand::{RngExt, rngs::StdRng};
use std::{io, ops::Deref, path::PathBuf, time::Duration};
use time::OffsetDateTime;

pub const QUEUE: &str = "packet-capture-jobs";
pub const POISON: &str = "packet-capture-jobs-poison";

pub const REGIONS: [&str; 5] = [
    "francecentral",
    "swedencentral",
    "uksouth",
    "eastus2",
    "japaneast",
];
pub const MACHINES: usize = 20;
/// Of the scale set; alerts name instances beyond these, too.
const INSTANCES: [&str; 2] = ["0", "1"];

/// Names that resemble those of the function's own captures, or do not.
const OTHERS: [&str; 3] = [
    "ops-trace",
    "PSAzureFunction-incident-20261120",
    "PSAzureFunction",
];

/// The sandbox.
#[derive(Clone)]
pub struct Azure {
    sandbox: Sandbox,
}

impl Deref for Azure {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// The id of a machine; there are [`MACHINES`] of them.
pub fn machine(number: usize) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/rg-soak/providers/Microsoft.Compute/virtualMachines/vm-{number:02}",
        samples::SUBSCRIPTION_ID
    )
}

pub fn region(machine: usize) -> &'static str {
    REGIONS[machine % REGIONS.len()]
}

pub fn scale_set() -> String {
    machine(0)
        .replace("virtualMachines", "virtualMachineScaleSets")
        .replace("vm-00", "pool")
}

fn watcher(region: &str) -> String {
    samples::WATCHER_WESTEUROPE.replace("westeurope", region)
}

impl Azure {
    /// # Errors
    /// No port, or the file cannot be written.
    pub async fn start(operation: Duration, ca_file: Option<PathBuf>) -> io::Result<Self> {
        let options = Options {
            progress: Progress::Auto {
                operation,
                retry_after_seconds: operation.as_secs(),
            },
            ca_file,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await?;
        samples::populate(&sandbox);
        for region in REGIONS {
            sandbox.add_watcher(&watcher(region), region);
        }
        for number in 0..MACHINES {
            sandbox.add_vm(&machine(number), region(number));
        }
        sandbox.add_scale_set(&scale_set(), REGIONS[0], &INSTANCES);
        for (number, region) in REGIONS.iter().enumerate() {
            for name in OTHERS {
                for (status, time_limit_seconds) in [
                    (SessionStatus::Running, 18_000),
                    (SessionStatus::Stopped, 60),
                ] {
                    let ended = status == SessionStatus::Stopped;
                    sandbox.add_capture(ExistingCapture {
                        watcher: watcher(region),
                        name: if ended {
                            format!("{name}-old")
                        } else {
                            name.to_owned()
                        },
                        target: machine(number),
                        status,
                        started: Some(OffsetDateTime::now_utc() - time::Duration::minutes(2)),
                        time_limit_seconds,
                        stop_reason: ended.then(|| "TimeExceeded".to_owned()),
                    });
                }
            }
        }
        Ok(Self { sandbox })
    }

    /// Settings for the function: short limits, a name for each machine and rule, little room.
    pub fn settings(&self) -> Vec<(String, String)> {
        let own = [
            ("PacketCapture__Name", "PSAzureFunction-{vm}-{rule}"),
            ("PacketCapture__TimeLimitInSeconds", "3"),
            ("PacketCapture__CreateWithinSeconds", "60"),
            ("PacketCapture__Limit", "14"),
            ("PacketCapture__RemoveFinished", "to_make_room"),
            ("PacketCapture__StopOnResolved", "true"),
            ("PacketCapture__ReplyWaitSeconds", "2"),
            // What follows a good end is to be seen within the night.
            ("FirstLook__NotifyWithinSeconds", "5"),
            ("JobQueue__Receive", "poll"),
            // Longer than most steps take; the default is longer than any.
            ("JobQueue__VisibilityTimeoutSeconds", "30"),
            // A job is given up for its deadline here, not for its attempts.
            ("JobQueue__MaxAttempts", "100"),
            // Its jobs stay in the queue for 20 minutes.
            ("Changes__Enabled", "false"),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        [self.app_settings(), self.queue_settings(), own.into()].concat()
    }

    /// Calls fail and captures have mishaps from now on.
    pub fn misbehave(&self, random: &mut StdRng) {
        self.have_mishaps(0.3, random.random());
        self.fail_at_random(Chances {
            resource_manager: 0.15,
            queue: 0.1,
            blob: 0.0,
            odd: 0.5,
            seed: random.random(),
        });
    }

    /// Changes one thing at random, and says which.
    pub fn disturb(&self, random: &mut StdRng, longest: Duration) -> String {
        match random.random_range(0..10) {
            0 => {
                let count = random.random_range(0..=2);
                let from = random.random_range(0..REGIONS.len());
                let hanging = REGIONS.iter().cycle().skip(from).take(count);
                let hanging: Vec<&str> = hanging.copied().collect();
                let watchers: Vec<String> = hanging.iter().map(|region| watcher(region)).collect();
                self.hang_watchers(&watchers);
                format!("watchers that answer nothing: {hanging:?}")
            }
            1 => {
                let urls = [PollUrls::Endpoint, PollUrls::Regional, PollUrls::Relative];
                let urls = urls[random.random_range(0..urls.len())];
                self.set_poll_urls(urls);
                format!("poll URLs: {urls:?}")
            }
            2 => {
                let on = random.random_bool(0.5);
                self.one_write_at_a_time(on);
                format!("one write at a time: {on}")
            }
            3 => {
                self.expire_tokens();
                "tokens expired".to_owned()
            }
            4 => {
                self.be_even();
                let oddities = [
                    None,
                    Some(Oddity::DeletesAtOnce),
                    Some(Oddity::OddLists),
                    Some(Oddity::StatusNotFound),
                ];
                let oddity = oddities[random.random_range(0..oddities.len())];
                if let Some(oddity) = oddity {
                    self.be_odd(oddity);
                }
                format!("oddity: {oddity:?}")
            }
            5 => {
                self.fault(Fault {
                    on: Call::Token,
                    times: 2,
                    what: What::Late(longest.mul_f64(0.5)),
                });
                "the next tokens are late".to_owned()
            }
            6 => {
                let own = self.of_all_watchers();
                let own: Vec<&CaptureView> = own.iter().filter(|it| !is_of_others(it)).collect();
                if own.is_empty() {
                    return "nothing to delete".to_owned();
                }
                let chosen = own[random.random_range(0..own.len())];
                let (watcher, _) = chosen.id.split_once("/packetCaptures/").unwrap_or_default();
                self.remove_capture(watcher, &chosen.name);
                format!("another user deleted {}", chosen.name)
            }
            _ => {
                let share = |random: &mut StdRng| [0.0, 0.1, 0.2, 0.6][random.random_range(0..4)];
                let chances = Chances {
                    resource_manager: share(random),
                    queue: share(random) / 2.0,
                    blob: 0.0,
                    odd: random.random_range(0.2..0.8),
                    seed: random.random(),
                };
                self.fail_at_random(chances);
                format!(
                    "calls that fail: {:.0} % of Resource Manager's, {:.0} % of the queue's",
                    chances.resource_manager * 100.0,
                    chances.queue * 100.0
                )
            }
        }
    }

    /// All is well from now on. Returns how many captures had a mishap.
    pub fn recover(&self) -> usize {
        self.stop_failing();
        self.withdraw_faults();
        self.hang_watchers(&[]);
        self.be_even();
        self.set_poll_urls(PollUrls::Endpoint);
        self.one_write_at_a_time(false);
        self.end_mishaps()
    }

    /// Messages in the job queue, hidden ones too.
    pub fn queued(&self) -> usize {
        self.queue_messages(QUEUE).len()
    }

    fn of_all_watchers(&self) -> Vec<CaptureView> {
        let watchers = REGIONS.iter().map(|region| self.captures(&watcher(region)));
        watchers.flatten().collect()
    }

    /// Captures of others that are no longer as they were.
    pub fn harmed(&self) -> Vec<String> {
        let there: Vec<CaptureView> = self.of_all_watchers();
        let mut harmed = Vec::new();
        for region in REGIONS {
            for name in OTHERS {
                for (name, status) in [
                    (name.to_owned(), SessionStatus::Running),
                    (format!("{name}-old"), SessionStatus::Stopped),
                ] {
                    let id = format!("{}/packetCaptures/{name}", watcher(region));
                    let found = there.iter().find(|it| it.id == id);
                    if found.is_none_or(|it| it.status != status) {
                        harmed.push(id);
                    }
                }
            }
        }
        harmed
    }
}

fn is_of_others(capture: &CaptureView) -> bool {
    let name = capture.name.trim_end_matches("-old");
    OTHERS.contains(&name)
}
