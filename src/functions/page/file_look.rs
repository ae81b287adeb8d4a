//! What is in a capture's file, within the page of its incident: the lines, where the report and the manifest are, and the
//! report itself under its own style.

use crate::incident::record::Entry;

/// What is in a capture's file.
pub(super) struct FileLookView<'a> {
    pub lines: Vec<String>,
    /// The relative addresses of the report and the manifest.
    pub report: Option<String>,
    pub manifest: Option<String>,
    /// The report, if it was read.
    pub embedded: Option<Embedded<'a>>,
}

/// The parts of a report that another page can show.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Embedded<'a> {
    pub style: &'a str,
    pub body: &'a str,
}

impl<'a> FileLookView<'a> {
    /// `below`: the relative address of the incident. `report`: the stored page.
    pub fn of(entry: &Entry, below: &str, report: Option<&'a str>) -> Option<Self> {
        let look = entry.report.look.as_ref()?;
        let address = look
            .report
            .then(|| format!("{below}looks/{}", entry.job_id));
        Some(Self {
            lines: look.said(),
            manifest: address
                .as_ref()
                .filter(|_| look.sha256.is_some())
                .map(|address| format!("{address}.json")),
            report: address,
            embedded: report.and_then(embedded),
        })
    }
}

/// The style and the content of a stored report. This program wrote it, and escaped what came over the wire.
fn embedded(report: &str) -> Option<Embedded<'_>> {
    let (_, after) = report.split_once("<style>body{margin:0}")?;
    let (style, after) = after.split_once("</style>")?;
    let (_, after) = after.split_once("</h1>")?;
    let (body, _) = after.rsplit_once("</main>")?;
    Some(Embedded { style, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_embedded_without_its_frame() {
        let report = "<html><style>body{margin:0}.a{}</style><body><main><h1>x</h1>\n<h2>y</h2></main></body>";
        let expected = Embedded {
            style: ".a{}",
            body: "\n<h2>y</h2>",
        };
        assert_eq!(embedded(report), Some(expected));
        assert_eq!(embedded("<html>"), None);
    }
}
