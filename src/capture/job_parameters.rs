//! The parameters of each job's capture: those of the profile that the job names, or the default ones. The settings alone
//! hold them; a job carries a name.

use super::parameters::{Parameters, is_ours};
use crate::{azure::network_watcher::PacketCapture, incident::Job};
use std::collections::BTreeMap;

/// The parameters of captures by profile.
#[derive(Debug, Clone)]
pub struct JobParameters {
    /// Of jobs without a profile.
    pub default: Parameters,
    /// By the profile's name in lower case.
    named: BTreeMap<Box<str>, Parameters>,
}

impl From<Parameters> for JobParameters {
    /// One set of parameters for all jobs.
    fn from(default: Parameters) -> Self {
        Self {
            default,
            named: BTreeMap::new(),
        }
    }
}

impl JobParameters {
    /// The same with one profile more.
    pub fn with(mut self, name: &str, parameters: Parameters) -> Self {
        let name = name.to_ascii_lowercase().into();
        self.named.insert(name, parameters);
        self
    }

    /// The parameters of a job's capture. A profile that the settings do not have any more is the default one.
    pub fn of(&self, job: &Job) -> &Parameters {
        let name = job.profile.as_ref().map(|it| it.name.to_ascii_lowercase());
        let named = name.and_then(|name| self.named.get(&*name));
        named.unwrap_or(&self.default)
    }

    /// Each set of parameters, the default one first.
    pub fn all(&self) -> impl Iterator<Item = &Parameters> {
        std::iter::once(&self.default).chain(self.named.values())
    }

    /// Whether this function created a listed capture, by any profile.
    pub fn made(&self, capture: &PacketCapture) -> bool {
        self.all().any(|it| is_ours(&it.name, capture))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert::Target,
        capture::{CaptureName, RemoveFinished},
        incident::{ChosenProfile, JobId, Report},
    };
    use std::{sync::Arc, time::Duration};

    const VM: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-01";

    fn parameters(seconds: u32, name: &str) -> Parameters {
        Parameters {
            name: CaptureName::parse(name).unwrap(),
            storage: Default::default(),
            time_limit_seconds: seconds,
            bytes_per_packet: None,
            total_bytes: None,
            filters: Default::default(),
            limit: 10,
            create_within: Duration::from_secs(60),
            remove_finished: RemoveFinished::Never,
            home_region: None,
        }
    }

    #[test]
    fn a_job_has_the_parameters_of_its_profile() {
        let profiles =
            JobParameters::from(parameters(10, "plain")).with("Deep", parameters(300, "deep"));
        for (profile, expected) in [
            (None, 10),
            (Some("default"), 10),
            (Some("Deep"), 300),
            (Some("deep"), 300),
            // Removed from the settings after the job was queued.
            (Some("gone"), 10),
        ] {
            let target = Target::of(VM.parse().unwrap()).unwrap();
            let mut job = Job::of_notification(JobId::random(), target, Report::default());
            job.profile = profile.map(|name| {
                Arc::new(ChosenProfile {
                    name: name.into(),
                    why: "".into(),
                    cooldown: 0,
                    values: Box::default(),
                    notes: Box::default(),
                })
            });
            let found = profiles.of(&job).time_limit_seconds;
            assert_eq!(found, expected, "{profile:?}");
        }
    }

    #[test]
    fn captures_of_every_profile_are_this_functions() {
        let profiles =
            JobParameters::from(parameters(10, "plain")).with("Deep", parameters(300, "deep-{vm}"));
        let deep = Target::of(VM.parse().unwrap()).unwrap();
        let deep = profiles.named["deep"].name.of(&deep, None);
        for (name, expected) in [("plain", true), (&*deep, true), ("other", false)] {
            let capture = PacketCapture {
                name: name.to_owned(),
                target: VM.to_owned(),
                ..PacketCapture::default()
            };
            assert_eq!(profiles.made(&capture), expected, "{name}");
        }
    }
}
