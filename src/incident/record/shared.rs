//! The report of an entry, shared with the job that it is of: a capture that is followed for hours is in memory once.

use crate::incident::{job::Job, report::Report};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{ops::Deref, sync::Arc};

/// A report, its own or that of a job.
#[derive(Debug, Clone)]
pub enum SharedReport {
    Own(Arc<Report>),
    OfJob(Arc<Job>),
}

impl Deref for SharedReport {
    type Target = Report;

    fn deref(&self) -> &Report {
        match self {
            Self::Own(report) => report,
            Self::OfJob(job) => &job.report,
        }
    }
}

impl PartialEq for SharedReport {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl From<Report> for SharedReport {
    fn from(report: Report) -> Self {
        Self::Own(Arc::new(report))
    }
}

impl Serialize for SharedReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Report::deserialize(deserializer).map(Self::from)
    }
}
