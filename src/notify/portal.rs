//! Where a notification leads: the Azure portal's pages, and how to open the file.

use crate::incident::{Event, Report};
use url::Url;

/// The Azure portal of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    base: Url,
    /// The storage accounts of the capture files, where they are known.
    accounts: Vec<String>,
}

impl Portal {
    /// `base` is such as `https://portal.azure.com`.
    pub fn new(base: Url) -> Self {
        let accounts = Vec::new();
        Self { base, accounts }
    }

    /// The same with the storage accounts that the capture files go to, for links to them.
    pub fn with_accounts(self, ids: &[&str]) -> Self {
        let accounts = ids.iter().map(|id| (*id).to_owned()).collect();
        Self { accounts, ..self }
    }

    /// The page of a resource.
    pub fn resource(&self, id: &str) -> Url {
        self.page(&format!("resource/{}", id.trim_start_matches('/')))
    }

    /// Network Watcher's list of packet captures. The page has no address for one watcher or capture; people
    /// choose the subscription there.
    pub fn packet_captures(&self) -> Url {
        self.page("view/Microsoft_Azure_Network/NetworkWatcherMenuBlade/~/packetCapture")
    }

    /// The page of a capture file; `None` when its storage account is not known. The address is the one that the portal
    /// copies for a blob; Microsoft does not document it.
    pub fn file(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let name = url.host_str()?.split('.').next()?;
        let is_account = |it: &&String| it.rsplit('/').next() == Some(name);
        let account = self.accounts.iter().find(is_account)?;
        let path = url.path().trim_start_matches('/');
        let word = |text: &str| {
            url::form_urlencoded::byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        // A path in a URL is encoded already, and is encoded once more as one word.
        Some(self.page(&format!(
            "view/Microsoft_Azure_Storage/BlobPropertiesBladeV2/storageAccountId/{}/path/{}/isDeleted~/false/tabToload~/0",
            word(account),
            word(path)
        )))
    }

    fn page(&self, fragment: &str) -> Url {
        let mut url = self.base.clone();
        url.set_fragment(Some(fragment));
        url
    }
}

/// What to do to see the packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HowToOpen {
    /// Whole sentences.
    pub says: String,
    /// A command of the Azure CLI, right in any shell.
    pub command: Option<String>,
}

/// How to open the file of a capture; `None` when there is none.
pub fn how_to_open(event: Event, report: &Report) -> Option<HowToOpen> {
    let mut says = match event {
        Event::Created => vec!["This works once the capture has ended.".to_owned()],
        Event::Completed | Event::Analyzed | Event::Resolved => Vec::new(),
        Event::Failed => vec!["Part of the evidence may be there.".to_owned()],
        Event::Skipped
        | Event::ReadinessDegraded
        | Event::ReadinessRestored
        | Event::ReadinessWeekly => return None,
    };
    let command = report
        .storage_path
        .as_deref()
        .and_then(|url| download(url, report.name.as_deref()));
    match (&report.storage_path, &command) {
        (Some(_), Some(_)) => says.push("Download the file with this command and open it in Wireshark; your account needs the role Storage Blob Data Reader on the storage account.".to_owned()),
        (Some(_), None) => {
            says.push("Download the file from its URL and open it in Wireshark.".to_owned());
        }
        (None, _) => {}
    }
    match (&report.file_path, &report.storage_path) {
        (Some(path), Some(_)) => says.push(format!("It is on the machine too, at {path}.")),
        (Some(path), None) => says.push(format!(
            "The file is on the machine itself, at {path}: copy it from there and open it in Wireshark."
        )),
        (None, Some(_)) => {}
        (None, None) => return None,
    }
    let says = says.join(" ");
    Some(HowToOpen { says, command })
}

/// `None` for texts that a shell would read in another way, even between double quotes. Azure's URLs are not like
/// that.
fn download(url: &str, name: Option<&str>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/%@,+=()".contains(c);
    let last = url.rsplit('/').next().unwrap_or_default();
    let file = match last.strip_suffix(".cap") {
        Some(_) => last.to_owned(),
        None => format!("{}.cap", name.unwrap_or("capture")),
    };
    let file_is_plain = file
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    (url.starts_with("https://") && url.chars().all(plain) && file_is_plain).then(|| {
        format!("az storage blob download --blob-url \"{url}\" --file \"{file}\" --auth-mode login")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "https://contosocaps.blob.core.windows.net/network-watcher-logs/vm1.cap";

    fn capture(storage_path: Option<&str>, file_path: Option<&str>) -> Report {
        Report {
            name: Some("PSAzureFunction".to_owned()),
            storage_path: storage_path.map(str::to_owned),
            file_path: file_path.map(str::to_owned),
            ..Report::default()
        }
    }

    #[test]
    fn links_are_of_the_cloud() {
        for (base, resource, captures) in [
            (
                "https://portal.azure.com",
                "https://portal.azure.com/#resource/subscriptions/s/x",
                "https://portal.azure.com/#view/Microsoft_Azure_Network/NetworkWatcherMenuBlade/~/packetCapture",
            ),
            (
                "https://portal.azure.us/",
                "https://portal.azure.us/#resource/subscriptions/s/x",
                "https://portal.azure.us/#view/Microsoft_Azure_Network/NetworkWatcherMenuBlade/~/packetCapture",
            ),
        ] {
            let portal = Portal::new(Url::parse(base).unwrap());
            assert_eq!(portal.resource("/subscriptions/s/x").as_str(), resource);
            assert_eq!(portal.packet_captures().as_str(), captures);
        }
        let portal = Portal::new(Url::parse("https://portal.azure.com").unwrap());
        assert_eq!(
            portal.resource("/a\"><b>\n").as_str(),
            "https://portal.azure.com/#resource/a%22%3E%3Cb%3E"
        );
    }

    #[test]
    fn files_are_found_in_their_account() {
        let account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/contosocaps";
        let portal = Portal::new(Url::parse("https://portal.azure.com").unwrap());
        assert_eq!(portal.file(BLOB), None);
        let portal = portal.with_accounts(&[account]);
        assert_eq!(
            portal.file(BLOB).unwrap().as_str(),
            "https://portal.azure.com/#view/Microsoft_Azure_Storage/BlobPropertiesBladeV2/storageAccountId/%2Fsubscriptions%2Fs%2FresourceGroups%2Fg%2Fproviders%2FMicrosoft.Storage%2FstorageAccounts%2Fcontosocaps/path/network-watcher-logs%2Fvm1.cap/isDeleted~/false/tabToload~/0"
        );
        for other in [
            "https://contosocaps2.blob.core.windows.net/x/y.cap",
            "not a url",
            "data:,x",
        ] {
            assert_eq!(portal.file(other), None, "{other}");
        }
    }

    #[test]
    fn the_command_is_there_when_the_url_is_plain() {
        let opened = how_to_open(Event::Completed, &capture(Some(BLOB), None)).unwrap();
        assert!(
            opened
                .says
                .starts_with("Download the file with this command")
        );
        assert_eq!(
            opened.command.unwrap(),
            format!(
                "az storage blob download --blob-url \"{BLOB}\" --file \"vm1.cap\" --auth-mode login"
            )
        );
        for url in [
            "https://a.example/$(reboot)/x.cap",
            "https://a.example/`x`.cap",
            "https://a.example/\"; reboot; \".cap",
            "https://a.example/x.cap?sig=1&y=2",
            "https://a.example/-x y.cap",
            "file:///etc/passwd.cap",
        ] {
            let opened = how_to_open(Event::Completed, &capture(Some(url), None)).unwrap();
            assert_eq!(opened.command, None, "{url}");
            assert!(opened.says.contains("from its URL"), "{url}");
        }
    }

    #[test]
    fn a_blob_without_a_name_of_its_own_is_called_like_the_capture() {
        let url = "https://contosocaps.blob.core.windows.net/logs/7f3a";
        let opened = how_to_open(Event::Completed, &capture(Some(url), None)).unwrap();
        assert!(opened.command.unwrap().contains("\"PSAzureFunction.cap\""));
    }

    #[test]
    fn it_says_where_the_file_is_and_when() {
        let path = Some("/var/captures/a.cap");
        for (event, storage, path, expected) in [
            (
                Event::Completed,
                None,
                path,
                "The file is on the machine itself, at /var/captures/a.cap: copy it from there and open it in Wireshark.",
            ),
            (
                Event::Created,
                None,
                path,
                "This works once the capture has ended. The file is on the machine itself, at /var/captures/a.cap: copy it from there and open it in Wireshark.",
            ),
            (
                Event::Failed,
                Some("https://a.example/$x.cap"),
                path,
                "Part of the evidence may be there. Download the file from its URL and open it in Wireshark. It is on the machine too, at /var/captures/a.cap.",
            ),
        ] {
            let opened = how_to_open(event, &capture(storage, path)).unwrap();
            assert_eq!(opened.says, expected);
            assert_eq!(opened.command, None);
        }
        assert_eq!(
            how_to_open(Event::Skipped, &capture(Some(BLOB), path)),
            None
        );
        assert_eq!(how_to_open(Event::Failed, &capture(None, None)), None);
    }
}
