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
        let fixes = fixes(self);
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
                let _ = writeln!(script, "{command}");
            }
        }
        script
    }
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
        Cause,
        samples::{run, vm},
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
}
