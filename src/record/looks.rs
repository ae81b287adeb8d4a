//! Reports about capture files, their manifests, and what changed around an alert, beside the record:
//! `looks/{incident}/{job}.html`, `.json` and `.changes.json`. Without a store the newest ones are kept in this process.

use super::{Incidents, StoreError, store::Condition};
use crate::incident::{IncidentId, JobId};
use azure_core::Bytes;

/// Maximum number of looks kept where they are kept in this process alone, at up to 300 KB each.
pub(super) const MOST_IN_MEMORY: usize = 20;

/// The parts of a stored look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookPart {
    /// The report, an HTML page.
    Report,
    /// The manifest of the file, JSON.
    Manifest,
    /// The control plane around the alert, JSON.
    Changes,
}

impl LookPart {
    fn name(self, incident: &IncidentId, job: &JobId) -> String {
        let ending = match self {
            Self::Report => "html",
            Self::Manifest => "json",
            Self::Changes => "changes.json",
        };
        format!("looks/{incident}/{job}.{ending}")
    }
}

impl Incidents {
    /// Writes the report about a job's file and, where the file was read to its end, its manifest. What an earlier look has
    /// written is replaced.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keep_look(
        &self,
        incident: &IncidentId,
        job: &JobId,
        report: String,
        manifest: Option<String>,
    ) -> Result<(), StoreError> {
        let manifest = manifest.map(|text| (LookPart::Manifest, text));
        let parts = std::iter::once((LookPart::Report, report)).chain(manifest);
        for (part, text) in parts {
            self.keep_part(incident, job, part, text).await?;
        }
        Ok(())
    }

    /// Writes a part, and replaces what was written before.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keep_part(
        &self,
        incident: &IncidentId,
        job: &JobId,
        part: LookPart,
        text: String,
    ) -> Result<(), StoreError> {
        let (name, body) = (part.name(incident, job), Bytes::from(text));
        let written = self
            .looks
            .write(&name, body.clone(), None, Condition::New)
            .await;
        match (written, self.looks.read(&name)) {
            (Err(StoreError::Conflict), known) => {
                let condition = match known.await? {
                    Some(known) => Condition::Unchanged(known.etag),
                    None => Condition::New,
                };
                self.looks.write(&name, body, None, condition).await?;
            }
            (written, _) => drop(written?),
        }
        Ok(())
    }

    /// A part of what is kept beside the record of a job; `None`: there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn look(
        &self,
        incident: &IncidentId,
        job: &JobId,
        part: LookPart,
    ) -> Result<Option<String>, StoreError> {
        let found = self.looks.read(&part.name(incident, job)).await?;
        Ok(found.map(|found| String::from_utf8_lossy(&found.body).into_owned()))
    }
}
