//! What a test or the demo does to the sandbox from outside the wire: furnish it, move it on, look
//! inside, make it misbehave.

use std::path::PathBuf;

use serde_json::Value;

use super::calls::Call;
use super::capture::{Capture, Provisioning, SessionStatus, Wanted, blob_path};
use super::faults::{Fault, Faults};
use super::ids::{self, same};
use super::operations::PollUrls;
use super::server::lock;
use super::signing_key::Signing;
use super::storage_access::BlobRole;
use super::view::{CaptureView, ExistingCapture};
use super::world::{Machine, ScaleSet, StorageAccount, Watcher, World};
use super::{Sandbox, samples};

/// Furnishing.
impl Sandbox {
    /// A Linux VM with the agent that captures need.
    pub fn add_vm(&self, id: &str, location: &str) {
        self.furnish(id, |world| {
            world.machines.push(Machine {
                id: id.to_owned(),
                location: location.to_owned(),
                os: "Linux",
                agent: true,
                agent_state: "Succeeded",
                agent_version: "1.4.905.3",
                vm_agent: "Ready",
                extensions_allowed: None,
                groups: Vec::new(),
                power: "running",
                scale_set: None,
            });
        });
    }

    /// Turns a VM into one that runs Windows.
    pub fn make_windows(&self, vm: &str) {
        self.change_vm(vm, |machine| machine.os = "Windows");
    }

    /// Takes the agent off a VM.
    pub fn remove_agent(&self, vm: &str) {
        self.change_vm(vm, |machine| machine.agent = false);
    }

    /// Deletes a VM and creates another one of this name in another region.
    pub fn move_vm(&self, vm: &str, location: &str) {
        self.change_vm(vm, |machine| machine.location = location.to_owned());
    }

    /// Stops a VM and gives its host back.
    pub fn deallocate_vm(&self, vm: &str) {
        self.change_vm(vm, |machine| machine.power = "deallocated");
    }

    /// A scale set with these instances.
    pub fn add_scale_set(&self, id: &str, location: &str, instances: &[&str]) {
        self.furnish(id, |world| {
            world.scale_sets.push(ScaleSet {
                id: id.to_owned(),
                location: location.to_owned(),
                instances: instances.iter().map(|&name| name.to_owned()).collect(),
                flexible: false,
                agent_in_model: true,
                with_agent: instances.iter().map(|&name| name.to_owned()).collect(),
                outdated: Vec::new(),
                stopped: Vec::new(),
            });
        });
    }

    /// A scale set in flexible orchestration mode, whose only member is this VM.
    pub fn add_flexible_scale_set(&self, id: &str, location: &str, member: &str) {
        self.add_scale_set(id, location, &[ids::name(member)]);
        self.add_vm(member, location);
        self.change_vm(member, |machine| machine.scale_set = Some(id.to_owned()));
        self.furnish(id, |world| {
            let added = world.scale_sets.last_mut();
            added.expect("the set was just added").flexible = true;
        });
    }

    /// A network watcher.
    pub fn add_watcher(&self, id: &str, location: &str) {
        self.furnish(id, |world| {
            let mut watcher = Watcher {
                id: id.to_owned(),
                location: location.to_owned(),
                etag: String::new(),
                captures: Vec::new(),
            };
            watcher.touch();
            world.watchers.push(watcher);
        });
    }

    /// A storage account.
    pub fn add_storage_account(&self, id: &str, location: &str) {
        self.furnish(id, |world| {
            world.storage_accounts.push(StorageAccount {
                id: id.to_owned(),
                location: location.to_owned(),
                shared_keys: true,
                tier: "Standard",
                blob_role: BlobRole::Contributor,
                firewall_closed: false,
                restricted: false,
                lifecycle: Vec::new(),
            });
        });
    }

    /// Forbids access to a storage account by its keys, and so by most SAS.
    pub fn forbid_shared_keys(&self, account: &str) {
        self.change_account(account, |account| account.shared_keys = false);
    }

    /// Turns a storage account into a premium one.
    pub fn make_premium(&self, account: &str) {
        self.change_account(account, |account| account.tier = "Premium");
    }

    /// Adds a lifecycle rule that deletes blobs whose names begin so, the container first. Files stay: no clock runs that
    /// long here.
    pub fn delete_blobs_after(&self, account: &str, prefix: &str, days: u32) {
        self.change_account(account, |account| {
            account.lifecycle.push((prefix.to_owned(), days));
        });
    }

    /// A capture left over from before. Panics when its watcher is not there.
    pub fn add_capture(&self, existing: ExistingCapture) {
        self.shared.with_world(|world, now| {
            let scale_set = world.scale_set(&existing.target).is_some();
            let started = existing.started.unwrap_or(now);
            let storage = samples::STORAGE_ACCOUNT;
            let path =
                super::capture::storage_path(&world.endpoint, storage, &existing.target, started);
            let wanted = Wanted {
                target_type: if scale_set { "AzureVMSS" } else { "AzureVM" }.to_owned(),
                target: existing.target,
                time_limit: existing.time_limit_seconds,
                total_bytes: 1_073_741_824,
                storage_id: Some(storage.to_owned()),
                ..Wanted::default()
            };
            let capture = world
                .existing_capture(&existing.watcher, &existing.name, wanted)
                .unwrap_or_else(|| panic!("no watcher {} in the sandbox", existing.watcher));
            capture.provisioning = Provisioning::Succeeded;
            capture.session = existing.status;
            capture.started = existing.started;
            capture.stop_reason = existing.stop_reason;
            capture.storage_path = Some(path);
        });
    }

    fn furnish(&self, id: &str, add: impl FnOnce(&mut World)) {
        self.shared.with_world(|world, _| {
            world.know(id);
            add(world);
        });
    }

    pub(super) fn change_account(&self, id: &str, change: impl FnOnce(&mut StorageAccount)) {
        self.shared.with_world(|world, _| {
            let account = world
                .storage_accounts
                .iter_mut()
                .find(|account| same(&account.id, id));
            change(account.unwrap_or_else(|| panic!("no storage account {id} in the sandbox")));
        });
    }
}

/// Moving on and looking.
impl Sandbox {
    /// The captures of a watcher, given by id or name.
    pub fn captures(&self, watcher: &str) -> Vec<CaptureView> {
        self.shared.with_world(|world, _| {
            let wanted =
                |known: &&Watcher| same(&known.id, watcher) || same(ids::name(&known.id), watcher);
            let found = world.watchers.iter().find(wanted);
            found.map_or_else(Vec::new, |it| {
                it.captures.iter().map(CaptureView::from).collect()
            })
        })
    }

    /// The targets of all captures that were ever there, removed ones too, in the order of their creates.
    pub fn captures_made(&self) -> Vec<String> {
        self.shared.with_world(|world, _| world.made.clone())
    }

    /// Ends all running operations, as successes unless a failure was ordered.
    pub fn complete_operations(&self) {
        self.shared.with_world(|world, now| {
            for index in 0..world.operations.len() {
                world.complete(index, now);
            }
        });
    }

    /// The next operation that ends, ends as a failure.
    pub fn fail_next_operation(&self, code: &str, message: &str) {
        let failure = (code.to_owned(), message.to_owned());
        self.shared
            .with_world(|world, _| world.failures.push_back(failure));
    }

    /// Ends all running sessions because their time is up; their files land.
    pub fn finish_sessions(&self) {
        self.end(
            |_, capture| capture.session == SessionStatus::Running,
            "TimeExceeded",
            &[],
        );
    }

    /// Ends one session; its file lands unless there are errors.
    pub fn finish_session_with(
        &self,
        watcher: &str,
        name: &str,
        stop_reason: &str,
        errors: &[&str],
    ) {
        let meant = |known: &Watcher, capture: &Capture| {
            let there = same(&known.id, watcher) || same(ids::name(&known.id), watcher);
            there && same(&capture.name, name)
        };
        self.end(meant, stop_reason, errors);
    }

    fn end(&self, meant: impl Fn(&Watcher, &Capture) -> bool, reason: &str, errors: &[&str]) {
        self.shared.with_world(|world, now| {
            let meant: Vec<_> = world
                .captures()
                .filter(|&(w, _, capture)| meant(&world.watchers[w], capture))
                .map(|(w, c, _)| (w, c))
                .collect();
            for (w, c) in meant {
                world.end_session(w, c, now, reason, errors);
            }
        });
    }

    /// Another user deletes a capture, at once.
    pub fn remove_capture(&self, watcher: &str, name: &str) {
        self.shared.with_world(|world, _| {
            let there = |known: &&mut Watcher| {
                same(&known.id, watcher) || same(ids::name(&known.id), watcher)
            };
            if let Some(found) = world.watchers.iter_mut().find(there) {
                found.captures.retain(|capture| !same(&capture.name, name));
                found.touch();
            }
        });
    }

    /// Where the file of this storage path landed, once it has and if there is a directory for it.
    pub fn capture_file(&self, storage_path: &str) -> Option<PathBuf> {
        let blob = blob_path(&self.endpoint, storage_path)?;
        let landed = self
            .shared
            .with_world(|world, _| world.blobs.contains_key(&blob));
        self.shared.disk.place(&blob).filter(|_| landed)
    }
}

/// Misbehaving.
impl Sandbox {
    /// Orders a fault.
    pub fn fault(&self, fault: Fault) {
        lock(&self.shared.faults).order(fault);
    }

    /// Lets calls of this kind wait, unanswered and without effect, until they are released.
    pub fn hold(&self, call: Call) {
        self.shared.held.send_modify(|held| held.push(call));
    }

    /// Answers the calls of this kind that were held.
    pub fn release(&self, call: Call) {
        let release = |held: &mut Vec<Call>| held.retain(|other| *other != call);
        self.shared.held.send_modify(release);
    }

    /// Withdraws the faults that no call has met yet.
    pub fn withdraw_faults(&self) {
        *lock(&self.shared.faults) = Faults::default();
    }

    /// The texts of all tokens given out so far, for a test that searches places where they must not be.
    pub fn tokens_given(&self) -> Vec<String> {
        self.shared
            .with_world(|world, _| world.directory.tokens_given())
    }

    /// Makes all tokens given out so far expired ones.
    pub fn expire_tokens(&self) {
        self.shared
            .with_world(|world, _| world.directory.expire_tokens());
    }

    /// A token with these claims, as Entra gives them to action groups for secure webhooks, or a forged one.
    pub fn sign_token(&self, claims: &Value, signing: Signing) -> String {
        self.shared
            .with_world(|world, _| world.directory.sign(claims, signing))
    }

    /// The tenant signs with another key from now on and no longer publishes the old one.
    pub fn rotate_signing_keys(&self) {
        self.shared
            .with_world(|world, _| world.directory.rotate_signing_keys());
    }

    /// Makes the client secret an expired one.
    pub fn expire_secret(&self) {
        self.shared
            .with_world(|world, _| world.directory.secret_expired = true);
    }

    /// Sets the audience that tokens are for; it is the endpoint otherwise.
    pub fn set_audience(&self, audience: &str) {
        self.shared
            .with_world(|world, _| world.directory.audience = audience.to_owned());
    }

    /// Takes a right away, such as `Microsoft.Network/networkWatchers/packetCaptures/write`.
    pub fn deny(&self, action: &str) {
        self.shared
            .with_world(|world, _| world.denied.push(action.to_owned()));
    }

    /// Gives exactly these rights, everywhere: wildcards and scopes are not imitated. What is denied stays so.
    pub fn grant_only(&self, actions: &[&str]) {
        let role = actions.iter().map(|&action| action.to_owned()).collect();
        self.shared
            .with_world(|world, _| world.granted = Some(role));
    }

    /// Gives a right back.
    pub fn allow(&self, action: &str) {
        self.shared
            .with_world(|world, _| world.denied.retain(|denied| !same(denied, action)));
    }

    /// Makes a provider, such as `Microsoft.Network`, take these api-versions only, as clouds do that lag behind.
    pub fn support_only(&self, provider: &str, versions: &[&str]) {
        let versions = versions.iter().map(|&it| it.to_owned()).collect();
        self.shared
            .with_world(|world, _| drop(world.versions.insert(provider.to_owned(), versions)));
    }

    /// How many captures a watcher takes; 10,000 otherwise.
    pub fn set_capture_limit(&self, limit: usize) {
        self.shared
            .with_world(|world, _| world.capture_limit = limit);
    }

    /// Where the poll URLs of accepted calls point from now on.
    pub fn set_poll_urls(&self, poll_urls: PollUrls) {
        self.shared
            .with_world(|world, _| world.poll_urls = poll_urls);
    }

    /// Whether a watcher refuses a write while another one runs.
    pub fn one_write_at_a_time(&self, on: bool) {
        self.shared
            .with_world(|world, _| world.one_write_at_a_time = on);
    }
}
