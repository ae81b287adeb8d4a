//! The commands that fix what a run found, as a script that is read before it is run. Pure; nothing here is ever run.

use super::{Run, fixes};
use std::fmt::Write;

impl Run {
    /// A script of all fixes, grouped and commented. It stops at the first command that fails.
    pub fn script(&self) -> String {
        let mut script = String::from(
            "#!/usr/bin/env bash\n\
             # Fixes of `handler doctor --all` of alert-packet-capture. Read each command before you run it; it needs the rights of an\n\
             # operator, not those of the function. Commands that restart a machine interrupt what runs there.\n",
        );
        // Texts of Azure: a line break would end the comment.
        let _ = writeln!(script, "# {}", inert(&self.sentence()));
        script.push_str("set -euo pipefail\n");
        let mut fixes = fixes(self);
        fixes.sort_by_key(|fix| !fix.comes_first);
        if fixes.is_empty() {
            script.push_str("\n# There is nothing to fix by a command.\n");
        }
        for fix in fixes {
            let machines = match fix.machines {
                0 => String::new(),
                1 => " (1 machine)".to_owned(),
                machines => format!(" ({machines} machines)"),
            };
            let _ = writeln!(script, "\n# {}{machines}", inert(&fix.cause));
            for command in fix.commands {
                // Run as it is, it would write `...` into a setting of the app.
                let _ = match is_complete(&command) {
                    true => writeln!(script, "{command}"),
                    false => writeln!(script, "# fill in and run: {command}"),
                };
            }
        }
        script
    }
}

/// Whether a command can be run as it is: others have `...` or `<group>` where the operator's own value goes.
fn is_complete(command: &str) -> bool {
    !command.contains("...") && !command.contains("'<")
}

/// One line without what a terminal or a shell could take for more than a comment.
fn inert(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Cause, Reach, Weight,
        samples::{finding, run, vm},
    };

    #[test]
    fn a_script_has_each_fix_below_its_cause() {
        let missing = || vec![Cause::AgentMissing { windows: false }];
        let run = run(vec![
            (vm("web-01"), missing()),
            (vm("web-02"), missing()),
            (
                vm("sql-02"),
                vec![Cause::Stopped("deallocated\nreboot".to_owned())],
            ),
        ]);
        let script = run.script();
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(lines[0], "#!/usr/bin/env bash");
        let at = lines
            .iter()
            .position(|it| *it == "# agent not installed (2 machines)");
        let command = lines[at.unwrap() + 1];
        assert!(
            command.starts_with("az vm extension set ") && command.contains("web-02"),
            "{command}"
        );
        // No line but those of comments and commands.
        let good = |line: &&str| {
            line.is_empty()
                || line.starts_with('#')
                || line.starts_with("az ")
                || **line == *"set -euo pipefail"
        };
        assert!(lines.iter().all(good), "{script}");
    }

    #[test]
    fn a_command_with_a_placeholder_is_a_comment() {
        let mut run = run(vec![(vm("web-01"), vec![])]);
        for command in [
            "az functionapp config appsettings set --name func --settings 'A=https://...'",
            "az functionapp restart --name '<app>'",
            "az network watcher configure --locations westeurope",
        ] {
            let mut failed = finding(Reach::All, Weight::Warns, "notification");
            failed.fix = Some(command.to_owned());
            run.findings.push(failed);
        }
        let script = run.script();
        let commands: Vec<&str> = script.lines().filter(|it| it.starts_with("az ")).collect();
        assert_eq!(
            commands,
            ["az network watcher configure --locations westeurope"]
        );
        assert_eq!(script.matches("# fill in and run: az ").count(), 2);
    }

    #[test]
    fn a_machine_is_started_before_its_agent_is_installed() {
        let missing = || Cause::AgentMissing { windows: false };
        let stopped = Cause::Stopped("deallocated".to_owned());
        let run = run(vec![
            (vm("web-01"), vec![missing()]),
            (vm("web-02"), vec![Cause::ExtensionsForbidden, missing()]),
            (vm("web-03"), vec![stopped, missing()]),
        ]);
        let script = run.script();
        let at = |command: &str| script.find(command).expect(command);
        let agent = at("\naz vm extension set ");
        assert!(at("\naz vm start ") < agent, "{script}");
        assert!(at("\naz vm update ") < agent, "{script}");
    }
}
