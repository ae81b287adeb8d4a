//! The command line.

use clap::Parser;

/// The port that local.settings.json names.
pub const FIXED_PORT: u16 = 7443;

/// Shows an Azure Monitor alert starting a packet capture, against an imitation of Azure.
///
/// Without options: one alert, one capture, about 15 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parser)]
#[command(name = "sandbox", version)]
pub struct Arguments {
    /// Then keep everything running until Ctrl-C, for alerts of your own
    #[arg(long)]
    stay: bool,

    /// Run only the imitation of Azure, until Ctrl-C, for `func start` or `handler`
    #[arg(long)]
    no_app: bool,

    /// Port of the imitation [default: 7443 with --stay and --no-app, otherwise any free port]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

/// What to start and how long it is to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Whether the function runs beside the sandbox.
    pub app: bool,
    /// Whether everything runs until Ctrl-C.
    pub stays: bool,
    /// The sandbox's port; 0 takes a free one.
    pub port: u16,
}

impl From<Arguments> for Mode {
    fn from(given: Arguments) -> Self {
        let stays = given.stay || given.no_app;
        let usual = if stays { FIXED_PORT } else { 0 };
        Self {
            app: !given.no_app,
            stays,
            port: given.port.unwrap_or(usual),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Mode, ErrorKind> {
        let words = ["sandbox"].into_iter().chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words);
        arguments.map(Mode::from).map_err(|error| error.kind())
    }

    #[test]
    fn each_option_sets_its_part_of_the_mode() {
        let run = |app, stays, port| Ok(Mode { app, stays, port });
        for (line, expected) in [
            ("", run(true, false, 0)),
            ("--stay", run(true, true, 7443)),
            ("--no-app", run(false, true, 7443)),
            ("--stay --no-app --port 9", run(false, true, 9)),
            ("--port 9", run(true, false, 9)),
            ("--stay --help", Err(ErrorKind::DisplayHelp)),
            ("--version", Err(ErrorKind::DisplayVersion)),
            ("--port", Err(ErrorKind::InvalidValue)),
            ("--port 65536", Err(ErrorKind::ValueValidation)),
            ("--sta", Err(ErrorKind::UnknownArgument)),
            ("stay", Err(ErrorKind::UnknownArgument)),
        ] {
            assert_eq!(parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_wrong_option_gets_a_usage_line_and_exit_code_2() {
        let error = Arguments::try_parse_from(["sandbox", "--sta"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("Usage: sandbox [OPTIONS]"));
    }
}
