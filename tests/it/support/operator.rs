//! An operator who runs the commands that the program prints: each one does in the sandbox what it does in Azure. A command that
//! is not known here fails the test.

use azure_sandbox::{Sandbox, samples};

/// The options of a command, with all their values.
struct Command {
    words: String,
    options: Vec<(String, Vec<String>)>,
}

impl Command {
    fn read(line: &str) -> Self {
        let line = line.split("   # ").next().unwrap();
        let mut words = Vec::new();
        let mut options: Vec<(String, Vec<String>)> = Vec::new();
        for word in shlex::split(line).expect("balanced quotes") {
            match (word.starts_with("--"), options.last_mut()) {
                (true, _) => options.push((word, Vec::new())),
                (false, Some((_, values))) => values.push(word),
                (false, None) => words.push(word),
            }
        }
        Self {
            words: words.join(" "),
            options,
        }
    }

    fn all(&self, option: &str) -> Vec<&str> {
        let found = self.options.iter().find(|(name, _)| name == option);
        let values = found.unwrap_or_else(|| panic!("{} has no {option}", self.words));
        values.1.iter().map(String::as_str).collect()
    }

    fn one(&self, option: &str) -> &str {
        let [value] = self.all(option)[..] else {
            panic!("{} has not one {option}", self.words)
        };
        value
    }

    fn id(&self, kind: &str, name: &str) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{kind}/{}",
            self.one("--subscription"),
            self.one("--resource-group"),
            self.one(name)
        )
    }

    fn set(&self, name: &str) -> String {
        self.id("Microsoft.Compute/virtualMachineScaleSets", name)
    }
}

/// Runs one printed command.
pub fn run(azure: &Sandbox, line: &str) {
    let command = Command::read(line);
    let is_agent = || {
        assert_eq!(command.one("--publisher"), "Microsoft.Azure.NetworkWatcher");
        let name = command.one("--name");
        assert!(name.starts_with("NetworkWatcherAgent"), "{line}");
    };
    match command.words.as_str() {
        "az vm start" => command
            .all("--ids")
            .into_iter()
            .for_each(|it| azure.start_vm(it)),
        "az vm restart" => {
            for vm in command.all("--ids") {
                azure.set_vm_agent(vm, "Ready");
            }
        }
        "az vm update" => {
            assert_eq!(
                command.one("--set"),
                "osProfile.allowExtensionOperations=true"
            );
            for vm in command.all("--ids") {
                azure.allow_extensions(vm, true);
            }
        }
        "az vm extension set" => {
            is_agent();
            for vm in command.all("--ids") {
                azure.install_agent(vm);
            }
        }
        "az vmss start" => {
            for instance in command.all("--instance-ids") {
                azure.set_instance_running(&command.set("--name"), instance, true);
            }
        }
        "az vmss extension set" => {
            is_agent();
            azure.set_agent_in_model(&command.set("--vmss-name"), true);
        }
        "az vmss update-instances" => {
            azure.update_instances(&command.set("--name"), &command.all("--instance-ids"));
        }
        "az network watcher configure" => {
            let region = command.one("--locations");
            let id = format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkWatchers/NetworkWatcher_{region}",
                command.one("--subscription"),
                command.one("--resource-group")
            );
            azure.add_watcher(&id, region);
        }
        "az network nsg rule create" => {
            let group = command.id("Microsoft.Network/networkSecurityGroups", "--nsg-name");
            let ports = command.one("--destination-port-ranges");
            azure.add_security_rule(
                &group,
                command.one("--name"),
                command.one("--priority").parse().unwrap(),
                command.one("--access"),
                command.one("--destination-address-prefixes"),
                ports,
            );
        }
        "az storage account update" => {
            assert_eq!(command.one("--allow-shared-key-access"), "true");
            azure.allow_shared_keys(command.one("--ids"));
        }
        // Roles are not imitated: an operator gives everything that is missing.
        "az role assignment create" => {
            assert_eq!(command.one("--assignee"), samples::CLIENT_ID);
            azure.allow_all();
        }
        "az resource update" => {
            let id = command.one("--ids");
            match command
                .options
                .last()
                .map(|(name, values)| (name.as_str(), &values[..]))
            {
                Some(("--set", [pair])) => {
                    assert_eq!(pair, "properties.enabled=true");
                    azure.change_alert_resource(id, |it| it["enabled"] = true.into());
                }
                Some(("--add", [list, value])) => {
                    assert_eq!(list, "properties.actions");
                    let group = value.strip_prefix("actionGroupId=").unwrap();
                    azure.change_alert_resource(id, |it| {
                        it["actions"] = serde_json::json!([{ "actionGroupId": group }]);
                    });
                }
                _ => panic!("not known: {line}"),
            }
        }
        _ => panic!("not known: {line}"),
    }
}
