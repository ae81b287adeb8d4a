//! Whether outcomes are written back to Azure alerts.

use super::{notification, reader::Reader};
use url::Url;

/// Outcomes are written back to Azure alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBackSettings {
    /// The list of incidents, for links; without a key.
    pub pages: Option<Url>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<WriteBackSettings> {
    let pages = notification::pages(reader);
    let is_on = reader.flag("Alert__WriteBack");
    is_on.then_some(WriteBackSettings { pages })
}
