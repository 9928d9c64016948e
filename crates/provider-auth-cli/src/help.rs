//! The help of every command and option, in English and French, from one table.

use clap::{Arg, Command, CommandFactory as _};

use crate::args::{Args, Lang};
use crate::text::Text;

/// Path of a command and name of an argument; English; French. Without an argument: the command. `+`
/// stands for each command that says nothing else of the argument, `*` for a global option.
const HELP: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "",
        "Bearer tokens of Digitalpaye, Digishare, TresorPay, Papaya Global and Manis, for curl and for any program",
        "Jetons d'accès de Digitalpaye, Digishare, TresorPay, Papaya Global et Manis, pour curl et tout programme",
    ),
    (
        "providers",
        "",
        "List the providers, their variables, and which are configured",
        "Lister les fournisseurs, leurs variables, et lesquels sont configurés",
    ),
    ("providers list", "", "List all", "Les lister tous"),
    (
        "providers show",
        "",
        "Show one: flow, host, variables",
        "En montrer un : flux, hôte, variables",
    ),
    (
        "login",
        "",
        "Ask for credentials without echo, prove them with one exchange, then store them",
        "Demander les identifiants sans écho, les prouver par un échange, puis les enregistrer",
    ),
    (
        "login",
        "keyring",
        "Store them in the system's keyring, not in a file",
        "Les enregistrer dans le trousseau du système, et non dans un fichier",
    ),
    (
        "login",
        "stdin",
        "Read lines of NAME=value from standard input",
        "Lire des lignes NOM=valeur sur l'entrée standard",
    ),
    (
        "logout",
        "",
        "Remove stored credentials and the cached token",
        "Retirer les identifiants enregistrés et le jeton en cache",
    ),
    (
        "token",
        "",
        "Print the token, to a pipe or file",
        "Écrire le jeton, vers un tube ou un fichier",
    ),
    (
        "token",
        "min_valid",
        "Valid for at least this long, such as 60s or 5m; else ask the provider, once",
        "Valable au moins ce temps, comme 60s ou 5m ; sinon interroger le fournisseur, une fois",
    ),
    (
        "token",
        "refresh",
        "Ask the provider, past the cache and past a remembered refusal",
        "Interroger le fournisseur, sans le cache ni un refus mémorisé",
    ),
    (
        "token",
        "format",
        "text, json, env, exec-credential (kubectl) or credential-helper (Bazel)",
        "text, json, env, exec-credential (kubectl) ou credential-helper (Bazel)",
    ),
    ("token", "show", "Print it to a terminal too", "L'afficher aussi sur un terminal"),
    (
        "header",
        "",
        "Print the headers, one a line, for `curl -H @-`",
        "Écrire les en-têtes, un par ligne, pour `curl -H @-`",
    ),
    ("header", "show", "Print them to a terminal too", "Les afficher aussi sur un terminal"),
    (
        "exec",
        "",
        "Run a command with MANIS_TOKEN, MANIS_AUTHORIZATION and MANIS_EXPIRES_AT, and without the secrets. Variables can be read by the same user while it runs",
        "Lancer une commande avec MANIS_TOKEN, MANIS_AUTHORIZATION et MANIS_EXPIRES_AT, et sans les secrets. Le même utilisateur peut lire les variables pendant qu'elle tourne",
    ),
    (
        "exec",
        "providers",
        "One provider, or several with commas",
        "Un fournisseur, ou plusieurs séparés par des virgules",
    ),
    (
        "exec",
        "fd",
        "Pass the token through a descriptor, whose number is in MANIS_TOKEN_FD, and no variable",
        "Passer le jeton par un descripteur, dont le numéro est dans MANIS_TOKEN_FD, et sans variable",
    ),
    ("exec", "command", "The command and its arguments", "La commande et ses arguments"),
    (
        "curl",
        "",
        "Run curl with the token, which goes to the provider's hosts alone",
        "Lancer curl avec le jeton, qui ne va qu'aux hôtes du fournisseur",
    ),
    (
        "curl",
        "host",
        "Another host that the token may go to, such as https://api.example.com",
        "Un autre hôte auquel le jeton peut aller, comme https://api.example.com",
    ),
    ("curl", "curl", "curl's own arguments", "Les arguments de curl"),
    (
        "check",
        "",
        "Make sure that each configured provider gives a token; exit with the worst code",
        "S'assurer que chaque fournisseur configuré donne un jeton ; sortir avec le pire code",
    ),
    ("check", "providers", "These providers alone", "Ces fournisseurs seulement"),
    (
        "check",
        "watch",
        "Look again every so often (10 s), and print what changed",
        "Recommencer à intervalles (10 s), et afficher ce qui change",
    ),
    (
        "doctor",
        "",
        "Find out what is wrong, step by step, from the variables to a login. No secret is sent before --login",
        "Trouver ce qui ne va pas, étape par étape, des variables à la connexion. Aucun secret n'est envoyé sans --login",
    ),
    (
        "doctor",
        "providers",
        "These providers; by default the configured ones",
        "Ces fournisseurs ; par défaut ceux qui sont configurés",
    ),
    (
        "doctor",
        "login",
        "Ask for one token too, with the secrets",
        "Demander aussi un jeton, avec les secrets",
    ),
    (
        "inspect",
        "",
        "Say what a token on standard input is, without verifying it",
        "Dire ce qu'est un jeton lu sur l'entrée standard, sans le vérifier",
    ),
    ("inspect", "claims", "Print its claims too", "Afficher aussi son contenu (claims)"),
    (
        "cache",
        "",
        "Look at the cache of tokens, or empty it",
        "Regarder le cache de jetons, ou le vider",
    ),
    ("cache path", "", "Print its folder", "Afficher son dossier"),
    (
        "cache list",
        "",
        "List what it holds for the configured providers",
        "Lister ce qu'il contient pour les fournisseurs configurés",
    ),
    (
        "cache clear",
        "",
        "Remove tokens: of one provider, or all",
        "Supprimer des jetons : ceux d'un fournisseur, ou tous",
    ),
    (
        "cache key",
        "",
        "Draw a key for AUTH_STORE_KEY, which replicas share",
        "Tirer une clé pour AUTH_STORE_KEY, que des réplicas partagent",
    ),
    ("cache key", "show", "Print it to a terminal too", "L'afficher aussi sur un terminal"),
    (
        "sandbox",
        "",
        "Serve the five providers on loopback, with made-up credentials",
        "Servir les cinq fournisseurs en local, avec des identifiants fictifs",
    ),
    (
        "sandbox",
        "port",
        "The first of five ports; free ones by default",
        "Le premier de cinq ports ; des ports libres par défaut",
    ),
    ("sandbox", "lifetime", "How long tokens live", "La durée de vie des jetons"),
    (
        "sandbox",
        "command",
        "A command that gets the variables; the sandbox ends with it",
        "Une commande qui reçoit les variables ; le bac à sable finit avec elle",
    ),
    (
        "completions",
        "",
        "Print completions for bash, zsh, fish, elvish or powershell",
        "Écrire l'auto-complétion pour bash, zsh, fish, elvish ou powershell",
    ),
    ("completions", "shell", "The shell", "Le shell"),
    (
        "man",
        "",
        "Print the manual page, or write all pages to a folder",
        "Écrire la page de manuel, ou toutes les pages dans un dossier",
    ),
    ("man", "dir", "The folder", "Le dossier"),
    ("version", "", "Print the version", "Afficher la version"),
    (
        "credential-helper",
        "",
        "Answer `get` by the credential helper protocol of Bazel and others",
        "Répondre à `get` selon le protocole d'assistant d'identification de Bazel et d'autres",
    ),
    ("credential-helper", "verb", "get", "get"),
    // The options of every command.
    (
        "*",
        "profile",
        "Credentials from this profile, which `login` makes",
        "Identifiants de ce profil, que crée `login`",
    ),
    (
        "*",
        "env_file",
        "Credentials from this file of NAME=value lines, mode 0600",
        "Identifiants de ce fichier de lignes NOM=valeur, mode 0600",
    ),
    (
        "*",
        "json",
        "Print JSON; errors too, on standard error",
        "Écrire du JSON ; les erreurs aussi, sur la sortie d'erreur",
    ),
    (
        "*",
        "quiet",
        "Print errors alone on standard error",
        "N'écrire que les erreurs sur la sortie d'erreur",
    ),
    (
        "*",
        "verbose",
        "Log more, up to -vvv; never a secret",
        "Journaliser plus, jusqu'à -vvv ; jamais un secret",
    ),
    ("*", "lang", "en or fr", "en ou fr"),
    ("*", "color", "auto, always or never", "auto, always ou never"),
    (
        "*",
        "timeout",
        "How long to wait for a provider, in seconds",
        "Combien de temps attendre un fournisseur, en secondes",
    ),
    ("+", "provider", "The provider", "Le fournisseur"),
    ("+", "min_valid", "Valid for at least this long", "Valable au moins ce temps"),
    (
        "+",
        "refresh",
        "Ask the provider, past the cache",
        "Interroger le fournisseur, sans le cache",
    ),
    ("*", "no_cache", "Neither read nor write the cache", "Ni lire ni écrire le cache"),
    ("", "version", "Print the version", "Afficher la version"),
    ("*", "help", "Print help", "Afficher l'aide"),
];

fn find(path: &str, name: &str, lang: Lang) -> Option<&'static str> {
    let entry = HELP.iter().find(|(at, arg, ..)| *at == path && *arg == name);
    entry.map(|(_, _, english, french)| match lang {
        Lang::En => *english,
        Lang::Fr => *french,
    })
}

/// The command line with its help in a language.
pub(crate) fn command(lang: Lang) -> Command {
    localized(Args::command(), "", lang)
}

/// Whether there is such a command.
pub(crate) fn is_command(word: &str) -> bool {
    HELP.iter().any(|(path, ..)| *path == word && !word.is_empty())
}

fn localized(command: Command, path: &str, lang: Lang) -> Command {
    let usage = Text::HelpUsage.to(lang);
    let template = format!("{{about}}\n\n{usage} {{usage}}\n\n{{all-args}}\n");
    let mut command = command
        .help_template(template)
        .subcommand_help_heading(Text::HelpCommands.to(lang))
        .subcommand_value_name(match lang {
            Lang::En => "COMMAND",
            Lang::Fr => "COMMANDE",
        })
        .about(find(path, "", lang).unwrap_or_default());
    command = command.mut_args(|arg| argument(arg, path, lang));
    command.mut_subcommands(|inner| {
        let name = inner.get_name();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
        localized(inner, &path, lang)
    })
}

fn argument(arg: Arg, path: &str, lang: Lang) -> Arg {
    let name = arg.get_id().as_str().to_owned();
    let own = find(path, &name, lang).or_else(|| find("+", &name, lang));
    let heading = match (own, arg.is_positional()) {
        (None, _) => Text::HelpGlobal,
        (Some(_), true) => Text::HelpArguments,
        (Some(_), false) => Text::HelpOptions,
    };
    let help = own.or_else(|| find("*", &name, lang)).unwrap_or_default();
    let takes = arg.get_action().takes_values();
    let arg = arg.help(help).help_heading(heading.to(lang));
    // The text names them, in its own language.
    if takes { arg.hide_possible_values(true) } else { arg }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(command: &Command, path: &str, visit: &mut impl FnMut(&str, &str, &str)) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        visit(path, "", &about);
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            visit(path, arg.get_id().as_str(), &help);
        }
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name());
            all(inner, path.trim(), visit);
        }
    }

    #[test]
    fn every_command_and_option_has_help_in_both_languages() {
        for lang in [Lang::En, Lang::Fr] {
            let mut command = command(lang);
            command.build();
            all(&command, "", &mut |path, name, help| {
                assert!(!help.is_empty(), "`{path}` {name} has no help in {lang:?}");
            });
        }
    }

    #[test]
    fn the_table_of_help_has_no_line_that_nothing_shows() {
        let mut seen = Vec::new();
        all(&command(Lang::En), "", &mut |path, name, _| {
            seen.push((path.to_owned(), name.to_owned()));
        });
        for (path, name, english, french) in HELP {
            assert!(!english.is_empty() && !french.is_empty(), "{path} {name}");
            let is_seen = seen
                .iter()
                .any(|(at, arg)| (at == path || ["*", "+"].contains(path)) && arg == name);
            assert!(is_seen, "nothing shows `{path}` {name}");
        }
    }
}
