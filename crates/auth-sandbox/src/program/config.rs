//! Settings from a file and from variables. Flags win over the file, and variables over its accounts.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use auth_sandbox::{Credentials, Provider};
use serde::Deserialize;

use crate::args::Args;

/// What a file may set: every flag by its name, and the accounts of each provider.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    port: Option<u16>,
    one_port: bool,
    control_port: Option<u16>,
    no_control: bool,
    bind: Option<IpAddr>,
    expose: bool,
    advertise: Option<String>,
    tls: bool,
    authority: Option<PathBuf>,
    random: bool,
    lifetime: Option<u64>,
    strict: bool,
    quiet: bool,
    digitalpaye: Section,
    digishare: Digishare,
    tresorpay: Section,
    papaya: Section,
    manis: Section,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Section {
    accounts: Vec<Pair>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Digishare {
    accounts: Vec<Pair>,
    personal_access_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    id: String,
    secret: String,
}

/// The settings of a run.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) flags: Args,
    pub(crate) accounts: Vec<(Provider, Credentials)>,
    pub(crate) personal: Option<Personal>,
}

/// A personal access token, which `Debug` does not show.
#[derive(Clone)]
pub(crate) struct Personal(pub(crate) String);

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Settings {
    /// Reads file and variables. The error is one line, without any value.
    pub(crate) fn read(
        mut flags: Args,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let file = match flags.config.take() {
            Some(path) => load(&path)?,
            None => File::default(),
        };
        let flags = Args {
            command: None,
            config: None,
            port: flags.port.or(file.port),
            one_port: flags.one_port || file.one_port,
            control_port: flags.control_port.or(file.control_port),
            no_control: flags.no_control || (file.no_control && flags.control_port.is_none()),
            bind: flags.bind.or(file.bind),
            expose: flags.expose || file.expose,
            advertise: flags.advertise.or(file.advertise),
            tls: flags.tls || file.tls,
            authority: flags.authority.or(file.authority),
            random: flags.random || file.random,
            lifetime: flags.lifetime.or(file.lifetime),
            strict: flags.strict || file.strict,
            quiet: flags.quiet || file.quiet,
        };
        if flags.advertise.as_deref().is_some_and(|host| !is_host(host)) {
            return Err(
                "--advertise is no host: give a name without scheme, port or path".to_owned()
            );
        }
        let mut settings = Self { flags, ..Self::default() };
        let files = [
            file.digitalpaye.accounts,
            file.digishare.accounts,
            file.tresorpay.accounts,
            file.papaya.accounts,
            file.manis.accounts,
        ];
        for (provider, pairs) in Provider::ALL.into_iter().zip(files) {
            settings.add(provider, pairs, &variable)?;
        }
        let personal = variable("AUTH_SANDBOX_DIGISHARE_PERSONAL_ACCESS_TOKEN");
        settings.personal = personal.or(file.digishare.personal_access_token).map(Personal);
        let is_token = |token: &Personal| {
            token.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
        };
        if settings.personal.as_ref().is_some_and(|token| !is_token(token) || token.0.is_empty()) {
            return Err("digishare: the personal access token is no token (RFC 6750)".to_owned());
        }
        Ok(settings)
    }

    fn add(
        &mut self,
        provider: Provider,
        pairs: Vec<Pair>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let [id_name, secret_name] = ["ID", "SECRET"]
            .map(|end| format!("AUTH_SANDBOX_{}_{end}", provider.name().to_uppercase()));
        let set = match (variable(&id_name), variable(&secret_name)) {
            (Some(id), Some(secret)) => Some(Pair { id, secret }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(format!("{id_name} is set alone: set {secret_name} too"));
            }
            (None, Some(_)) => {
                return Err(format!("{secret_name} is set alone: set {id_name} too"));
            }
        };
        let mut ids = std::collections::HashSet::new();
        let from_variables = set.is_some();
        for (at, Pair { id, secret }) in set.into_iter().chain(pairs).enumerate() {
            let place = at + usize::from(!from_variables);
            let which = if from_variables && at == 0 {
                id_name.clone()
            } else {
                format!("{provider}: account {place}")
            };
            if !is_text(&id) || !is_text(&secret) {
                return Err(format!("{which}: id or secret is empty or no plain text"));
            }
            if !ids.insert(id.clone()) {
                return Err(format!("{which}: its id stands twice"));
            }
            self.accounts.push((provider, Credentials::new(id, secret)));
        }
        Ok(())
    }
}

/// A name or an address, as it stands in a URL.
fn is_host(host: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match v6 {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(name),
    }
}

/// What a header and a line of a shell can hold.
fn is_text(value: &str) -> bool {
    !value.is_empty() && !value.chars().any(char::is_control)
}

fn load(path: &Path) -> Result<File, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("--config {name}: no such file"),
        _ => format!("--config {name}: {error}"),
    })?;
    if text.trim_start().starts_with('{') {
        serde_json::from_str(&text)
            .map_err(|error| format!("{name}:{}: {}", error.line(), safe(&error.to_string())))
    } else {
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            format!("{name}:{line}: {}", safe(error.message()))
        })
    }
}

/// A parser's message where it names fields; where it may quote a value, other words.
fn safe(message: &str) -> String {
    let names = ["unknown field", "missing field", "duplicate field", "duplicate key"];
    if names.iter().any(|start| message.starts_with(start)) {
        message.to_owned()
    } else {
        "not what is expected here: see the README".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let folder = std::env::temp_dir();
        let name = format!("auth-sandbox-{:?}.toml", std::thread::current().id());
        let path = folder.join(name.replace(['(', ')'], ""));
        std::fs::write(&path, text).unwrap();
        let flags = Args { config: Some(path.clone()), port: Some(1), ..Args::default() };
        let settings = Settings::read(flags, |name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        });
        std::fs::remove_file(path).unwrap();
        settings
    }

    #[test]
    fn a_file_is_read_as_toml_or_json_and_flags_and_variables_win() {
        let toml = "port = 2\nstrict = true\n[[manis.accounts]]\nid = \"a\"\nsecret = \"1\"\n";
        let json = r#"{"port":2,"strict":true,"manis":{"accounts":[{"id":"a","secret":"1"}]}}"#;
        for text in [toml, json] {
            let variables = [("AUTH_SANDBOX_MANIS_ID", "b"), ("AUTH_SANDBOX_MANIS_SECRET", "2")];
            let settings = read(text, &variables).unwrap();
            assert_eq!((settings.flags.port, settings.flags.strict), (Some(1), true));
            let ids: Vec<_> = settings.accounts.iter().map(|(_, pair)| pair.id()).collect();
            assert_eq!(ids, ["b", "a"]);
        }
    }

    #[test]
    fn a_file_sets_whatever_a_flag_sets() {
        let text = "one_port = true\ncontrol_port = 3\nno_control = true\nbind = \"::\"\nexpose = true\n\
                    advertise = \"box\"\ntls = true\nauthority = \"a.pem\"\nrandom = true\nlifetime = 4\n\
                    strict = true\nquiet = true\n[digishare]\npersonal_access_token = \"own\"\n";
        let settings = read(text, &[]).unwrap();
        let set = format!("{:?}", settings.flags);
        let bare = read("", &[]).unwrap();
        let wanted = Args {
            port: Some(1),
            one_port: true,
            control_port: Some(3),
            no_control: true,
            bind: Some(std::net::Ipv6Addr::UNSPECIFIED.into()),
            expose: true,
            advertise: Some("box".to_owned()),
            tls: true,
            authority: Some("a.pem".into()),
            random: true,
            lifetime: Some(4),
            strict: true,
            quiet: true,
            command: None,
            config: None,
        };
        assert_eq!(set, format!("{wanted:?}"));
        let without = Args { port: Some(1), ..Args::default() };
        assert_eq!(format!("{:?}", bare.flags), format!("{without:?}"));
        assert_eq!(settings.personal.unwrap().0, "own");
        let variables = [("AUTH_SANDBOX_DIGISHARE_PERSONAL_ACCESS_TOKEN", "other")];
        assert_eq!(read(text, &variables).unwrap().personal.unwrap().0, "other");
    }

    #[test]
    fn a_wrong_setting_is_one_line_that_names_the_place_and_no_value() {
        let cases: [(&str, Variables, &str); 13] = [
            ("[manis", &[], ":1: not what"),
            ("\n\nport = 99999", &[], ":3: not what"),
            ("port = 1\nport = 77553311", &[], ":2: "),
            ("{\n\"port\": 1,\n\"prot\": 2}", &[], ":3: unknown field `prot`"),
            ("{\n\"port\": 77553311", &[], ":2: not what"),
            ("advertise = \"http://77553311/\"", &[], "without scheme"),
            ("[digishare]\npersonal_access_token = \"7755 3311\"", &[], "is no token"),
            ("[manis]\naccount = []", &[], ":2: unknown field `account`"),
            ("[[manis.accounts]]\nid = \"a\"\nsecret = 77553311", &[], ":3: not what"),
            (
                "{\"manis\": {\"accounts\": [{\"id\": \"a\", \"secret\": 77553311}]}}",
                &[],
                ":1: not",
            ),
            ("", &[("AUTH_SANDBOX_PAPAYA_ID", "x")], "set AUTH_SANDBOX_PAPAYA_SECRET too"),
            ("[[manis.accounts]]\nid = \"a\"\nsecret = \"a\\nb\"", &[], "no plain text"),
            (
                "manis.accounts = [{id = \"a\", secret = \"1\"}, {id = \"a\", secret = \"2\"}]",
                &[],
                "account 2",
            ),
        ];
        for (text, variables, expected) in cases {
            let error = read(text, variables).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("77553311") && !error.contains('\n'), "{error}");
        }
    }
}
