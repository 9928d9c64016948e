//! The command line: four flags, parsed by hand.

use std::time::Duration;

pub(crate) const HELP: &str = "\
Serves five providers' token endpoints on 127.0.0.1, with made-up credentials, until Ctrl-C.

Usage: auth-sandbox [OPTIONS]

Options:
      --port PORT         first of five consecutive ports, 0 for any free ones [default: 8080]
      --lifetime SECONDS  lifetime of all tokens [default: each provider's own]
      --strict            refuse what the documents do not describe, where real servers take it
  -h, --help              print this help
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Args {
    Help,
    Serve { port: u16, lifetime: Option<Duration>, strict: bool },
}

impl Args {
    /// Parses the arguments after the program's name. The error is one line that says what to do.
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let (mut port, mut lifetime, mut strict) = (8080, None, false);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (flag, value) = match arg.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            };
            if flag == "--strict" && value.is_none() {
                strict = true;
                continue;
            }
            let mut value = |wanted: &str| {
                value
                    .clone()
                    .or_else(|| args.next())
                    .ok_or_else(|| format!("{flag} needs a value: give it {wanted}"))
            };
            match flag.as_str() {
                "--port" => {
                    let text = value("a port from 0 to 65531")?;
                    port = text
                        .parse()
                        .map_err(|_| format!("{text:?} is no port: give --port 0 to 65531"))?;
                }
                "--lifetime" => {
                    let text = value("a number of seconds")?;
                    let seconds = text.parse().map_err(|_| {
                        format!("{text:?} is no lifetime: give --lifetime whole seconds")
                    })?;
                    lifetime = Some(Duration::from_secs(seconds));
                }
                "--help" | "-h" => return Ok(Self::Help),
                _ => return Err(format!("{flag:?} is no option: see --help")),
            }
        }
        Ok(Self::Serve { port, lifetime, strict })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_read_with_a_space_or_an_equals_sign() {
        let serve = |port, seconds: Option<u64>| {
            let lifetime = seconds.map(Duration::from_secs);
            Ok(Args::Serve { port, lifetime, strict: false })
        };
        assert_eq!(parse(""), serve(8080, None));
        assert_eq!(parse("--port 0"), serve(0, None));
        assert_eq!(parse("--lifetime=5 --port=9000"), serve(9000, Some(5)));
        let strict = Args::Serve { port: 0, lifetime: None, strict: true };
        assert_eq!(parse("--strict --port 0"), Ok(strict));
        assert_eq!(parse("-h"), Ok(Args::Help));
    }

    #[test]
    fn a_wrong_argument_is_answered_with_one_line_that_says_what_to_do() {
        for line in ["--port", "--port x", "--port 65536", "--lifetime -1", "--strict=x", "8080"] {
            let error = parse(line).unwrap_err();
            assert!(error.contains("give") || error.contains("see"), "{line}: {error}");
            assert!(!error.contains('\n'), "{line}: {error}");
        }
    }
}
