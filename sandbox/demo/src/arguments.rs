//! The command line: few enough flags to read them by hand.

/// The port that local.settings.json names.
pub const FIXED_PORT: u16 = 7443;

pub const USAGE: &str = "\
Shows an Azure Monitor alert starting a packet capture, against an imitation of Azure.

usage: sandbox [--stay | --no-app] [--port N]

  (nothing)   one alert, one capture, about 15 s
  --stay      then keep everything up until Ctrl-C, for alerts of your own
  --no-app    keep only the imitation of Azure up, for `func start` or `handler`
  --port N    the imitation's port; 7443 with --stay and --no-app, else a free one
  --help      this text
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Run(Mode),
    Help,
}

/// What to start and how long it is to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    pub app: bool,
    pub stays: bool,
    /// The sandbox's port; 0 takes a free one.
    pub port: u16,
}

pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let (mut app, mut stays, mut port) = (true, false, None);
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--help" | "-h" => return Ok(Command::Help),
            "--stay" => stays = true,
            "--no-app" => (app, stays) = (false, true),
            "--port" => {
                let number = arguments.next().and_then(|text| text.parse().ok());
                port = Some(number.ok_or("--port needs a number from 0 to 65535")?);
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let port = port.unwrap_or(if stays { FIXED_PORT } else { 0 });
    Ok(Command::Run(Mode { app, stays, port }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_does_its_part() {
        let run = |app, stays, port| Ok(Command::Run(Mode { app, stays, port }));
        for (line, expected) in [
            ("", run(true, false, 0)),
            ("--stay", run(true, true, 7443)),
            ("--no-app", run(false, true, 7443)),
            ("--stay --no-app --port 9", run(false, true, 9)),
            ("--port 9", run(true, false, 9)),
            ("--stay --help", Ok(Command::Help)),
            (
                "--port",
                Err("--port needs a number from 0 to 65535".to_owned()),
            ),
            (
                "--port 65536",
                Err("--port needs a number from 0 to 65535".to_owned()),
            ),
            ("--sta", Err("unknown argument --sta".to_owned())),
        ] {
            let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(parse(&arguments), expected, "{line:?}");
        }
    }
}
