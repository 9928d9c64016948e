//! Invalid variables of every kind, with the secret in each.

use auth_core::{CachedTokenSource, Env};
use auth_tests::canary::Account;
use auth_tests::flows::{ALL, flow, variables};

use crate::Said;

/// Prefixes and suffixes that make a value invalid.
const WRONG: [(&str, &str); 12] = [
    ("", ""),
    ("", "\n"),
    (" ", ""),
    ("\u{feff}", ""),
    ("", "\u{200b}"),
    ("\0", "\r\n"),
    ("http://", ""),
    ("https://", ".example/?secret"),
    ("https://user:", "@pay.example.com"),
    ("https://pay.example.com/", "#x"),
    ("/no/such/folder/", ""),
    ("\u{e9} ", ""),
];

pub(crate) fn all() -> Said {
    let mut said = Said::default();
    for (provider, shape) in ALL {
        let account = Account::new(provider, &format!("{shape:?}, set-up"));
        let (id, secret) = (account.credentials.id(), account.credentials.secret());
        let right = variables(provider, &account.credentials);
        let of = |name: &str| name.split('_').next().unwrap().to_owned();
        let prefix = of(right[0].0);
        let further =
            ["CLIENT_AUTH", "SCOPE", "ENVIRONMENT", "TOKEN_NAME", "PERSONAL_ACCESS_TOKEN"];
        let mut names: Vec<String> = right.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.extend(further.map(|name| format!("{prefix}_{name}")));
        names.extend(right.iter().map(|(name, _)| format!("{name}_FILE")));
        names.extend(right.iter().map(|(name, _)| format!("{name}_INTERNAL")));
        for name in names {
            for (before, after) in WRONG {
                for value in [secret.to_owned(), id.to_owned(), format!("{id}:{secret}")] {
                    let value = format!("{before}{value}{after}");
                    let name: &'static str = name.clone().leak();
                    // In place of the right value, beside it, and without the others.
                    let others = || right.iter().filter(|(other, _)| *other != name).cloned();
                    let plain = name.trim_end_matches("_FILE").trim_end_matches("_INTERNAL");
                    let without = others().filter(|(other, _)| *other != plain);
                    for variables in [others().collect(), without.collect(), Vec::new()] {
                        let variables: Vec<_> =
                            std::iter::once((name, value.clone())).chain(variables).collect();
                        said.note(format!("{:?}", Env::from_pairs(variables.clone())));
                        match flow(provider, shape, variables.clone()) {
                            Err(error) => said.error(&error),
                            Ok(flow) => match CachedTokenSource::new(flow.exchange) {
                                Err(error) => said.error(&error),
                                Ok(source) => said.note(format!("{source:?}")),
                            },
                        }
                        if prefix == "DIGISHARE" {
                            let env = Env::from_pairs(variables);
                            match digishare_auth::source_read_env(&env) {
                                Err(error) => said.error(&error),
                                Ok(source) => said.note(format!("{source:?}")),
                            }
                        }
                    }
                }
            }
        }
        said.canaries.extend(account.canaries.clone());
    }
    said
}
