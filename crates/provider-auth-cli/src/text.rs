//! Every sentence of ours in English and French, in one table.

use crate::args::Lang;

macro_rules! table {
    ($($name:ident => $english:literal, $french:literal;)*) => {
        /// A sentence, in both languages. `{0}` and `{1}` stand for values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        // Some belong to one platform, or to a feature.
        #[allow(dead_code, clippy::enum_variant_names)]
        pub(crate) enum Text {
            $($name,)*
        }

        impl Text {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name,)*];

            const fn both(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ($english, $french),)*
                }
            }
        }
    };
}

table! {
    // What failed and what to do, by kind.
    ConfigWhat => "a setting is missing or wrong; nothing was sent.", "un réglage manque ou est incorrect ; rien n'a été envoyé.";
    ConfigDo => "set what the line below names, or run `provider-auth login {0}`", "définissez ce que nomme la ligne suivante, ou lancez `provider-auth login {0}`";
    CredentialsWhat => "the provider rejected the credentials.", "le fournisseur a refusé les identifiants.";
    CredentialsDo => "check them with the provider: rotated, revoked, mistyped, or of another environment", "vérifiez-les auprès du fournisseur : renouvelés, révoqués, mal saisis ou d'un autre environnement";
    RequestWhat => "the provider accepted the credentials and refused the request.", "le fournisseur a accepté les identifiants et refusé la requête.";
    RequestDo => "check scope, environment and URL", "vérifiez la portée (scope), l'environnement et l'URL";
    RateLimitedWhat => "too many requests.", "trop de requêtes.";
    RateLimitedDo => "wait, and let programs share one token instead of asking for their own", "patientez, et laissez les programmes partager un jeton au lieu d'en demander chacun un";
    UnavailableWhat => "the provider is down, or broke the connection.", "le fournisseur est en panne ou a coupé la connexion.";
    UnavailableDo => "try again later; look at the provider's status page", "réessayez plus tard ; consultez la page d'état du fournisseur";
    ConnectWhat => "no connection could be made.", "aucune connexion n'a pu être établie.";
    ConnectDo => "check host name, proxy, firewall and certificates", "vérifiez le nom d'hôte, le proxy, le pare-feu et les certificats";
    TimeoutWhat => "no answer came in time.", "aucune réponse n'est arrivée à temps.";
    TimeoutDo => "check the network, or give it longer with --timeout", "vérifiez le réseau, ou accordez plus de temps avec --timeout";
    ProtocolWhat => "the answer is not as documented.", "la réponse n'est pas celle qui est documentée.";
    ProtocolDo => "look for a proxy or a login page in between, and check the URL", "cherchez un proxy ou une page de connexion intermédiaire, et vérifiez l'URL";
    StoreWhat => "the cache or the token store failed.", "le cache ou le magasin de jetons a échoué.";
    StoreDo => "check the folder, or go without it: --no-cache", "vérifiez le dossier, ou passez-vous-en : --no-cache";
    InternalWhat => "this is a bug.", "c'est un bogue.";
    InternalDo => "report it, with the line below", "signalez-le, avec la ligne suivante";
    Do => "do", "à faire";
    Remembered => "this is what the provider told an earlier call; `--refresh` asks it again", "c'est la réponse du fournisseur à un appel précédent ; `--refresh` l'interroge de nouveau";
    // Guards.
    TokenOnTerminal => "the token is not printed to a terminal.", "le jeton n'est pas affiché sur un terminal.";
    TokenOnTerminalDo => "`provider-auth curl {0} -- URL`, `provider-auth exec {0} -- CMD`, a pipe (`| pbcopy`), or --show", "`provider-auth curl {0} -- URL`, `provider-auth exec {0} -- CMD`, un tube (`| pbcopy`), ou --show";
    KeyOnTerminal => "the key is not printed to a terminal.", "la clé n'est pas affichée sur un terminal.";
    KeyOnTerminalDo => "send it to a file or a pipe, or pass --show", "envoyez-la dans un fichier ou un tube, ou passez --show";
    NoSecretFlag => "no option takes a secret: other users of this machine could read it.", "aucune option n'accepte de secret : les autres utilisateurs de cette machine pourraient le lire.";
    NoSecretFlagDo => "use variables, --env-file FILE, --profile NAME, or `provider-auth login`", "utilisez des variables, --env-file FICHIER, --profile NOM, ou `provider-auth login`";
    StdinNoTerminal => "standard input is not a terminal, so nothing can be asked.", "l'entrée standard n'est pas un terminal, rien ne peut être demandé.";
    StdinNoTerminalDo => "pass --stdin and send lines of NAME=value", "passez --stdin et envoyez des lignes NOM=valeur";
    // Usage.
    UnknownOption => "there is no option {0} here.", "il n'y a pas d'option {0} ici.";
    UnknownWord => "there is a word too many, or an unknown command.", "il y a un mot de trop, ou une commande inconnue.";
    BadValue => "{0} has a value that cannot be used.", "{0} a une valeur inutilisable.";
    MissingWord => "{0} is missing.", "il manque {0}.";
    BadUsage => "these arguments cannot be read.", "ces arguments ne peuvent pas être lus.";
    SeeHelp => "see `provider-auth {1}--help`", "voir `provider-auth {1}--help`";
    // Places.
    EnvFileMissing => "{0} cannot be read: {1}.", "{0} ne peut pas être lu : {1}.";
    EnvFileMissingDo => "check the name, or make it with `provider-auth login`", "vérifiez le nom, ou créez-le avec `provider-auth login`";
    EnvFileOpen => "{0} can be read by others.", "{0} peut être lu par d'autres.";
    EnvFileOpenDo => "chmod 600 {0}", "chmod 600 {0}";
    EnvFileOwner => "{0} belongs to another user.", "{0} appartient à un autre utilisateur.";
    EnvFileOwnerDo => "make a copy of your own", "faites-en une copie à vous";
    EnvFileLine => "{0}: line {1} is not NAME=value.", "{0} : la ligne {1} n'est pas NOM=valeur.";
    EnvFileLineDo => "one NAME=value a line; `#` begins a comment", "une paire NOM=valeur par ligne ; `#` commence un commentaire";
    BadProfile => "a profile's name has letters, digits, `-` and `_` alone.", "le nom d'un profil ne comporte que lettres, chiffres, `-` et `_`.";
    NoConfigFolder => "there is no folder for profiles.", "il n'y a pas de dossier pour les profils.";
    NoConfigFolderDo => "set XDG_CONFIG_HOME or HOME", "définissez XDG_CONFIG_HOME ou HOME";
    CannotWrite => "{0} cannot be written: {1}.", "{0} ne peut pas être écrit : {1}.";
    CannotWriteDo => "check the folder and the disk", "vérifiez le dossier et le disque";
    NoKeyring => "this build has no keyring.", "cette version est sans trousseau.";
    NoKeyringDo => "leave out --keyring, or install with the feature `keyring`", "omettez --keyring, ou installez avec la fonctionnalité `keyring`";
    KeyringFailed => "the keyring did not answer, is locked, or failed: {0}.", "le trousseau n'a pas répondu, est verrouillé ou a échoué : {0}.";
    KeyringFailedDo => "unlock it, or use --env-file or --profile", "déverrouillez-le, ou utilisez --env-file ou --profile";
    CacheUnusable => "going without the cache: {0}", "sans cache : {0}";
    // Output.
    OutputFailed => "the output cannot be written: {0}.", "la sortie ne peut pas être écrite : {0}.";
    OutputFailedDo => "check the disk and the redirection", "vérifiez le disque et la redirection";
    Asking => "asking {0} ...", "interrogation de {0} ...";
    MinValidShort => "the token is valid for {0}, less than the {1} of --min-valid: the provider grants no longer one", "le jeton est valable {0}, moins que les {1} de --min-valid : le fournisseur n'en accorde pas de plus long";
    // Commands.
    CommandNotFound => "there is no command {0}.", "il n'y a pas de commande {0}.";
    CommandNotFoundDo => "check the name and PATH; no token was asked for", "vérifiez le nom et PATH ; aucun jeton n'a été demandé";
    CommandNotRun => "{0} cannot be run: {1}.", "{0} ne peut pas être lancé : {1}.";
    CommandNotRunDo => "check its permissions", "vérifiez ses permissions";
    UnixAlone => "this works on Unix alone.", "ceci ne fonctionne que sous Unix.";
    UnixAloneDo => "use `provider-auth header {0} | curl -H @- URL`", "utilisez `provider-auth header {0} | curl -H @- URL`";
    CurlRefused => "{0} is not passed to curl: it could show the token or send it elsewhere.", "{0} n'est pas transmis à curl : cela pourrait montrer le jeton ou l'envoyer ailleurs.";
    CurlRefusedDo => "leave it out; long options are written in full; `provider-auth header {1} | curl -H @- URL` has no guard", "retirez-le ; les options longues s'écrivent en entier ; `provider-auth header {1} | curl -H @- URL` est sans garde-fou";
    CurlNoValue => "{0} lacks its value.", "il manque la valeur de {0}.";
    CurlHeader => "the header {0} is set here, and by nobody else.", "l'en-tête {0} est défini ici, et par personne d'autre.";
    CurlHost => "the token goes to {0} alone, and not to this URL.", "le jeton ne va qu'à {0}, et non à cette URL.";
    CurlHostDo => "write scheme and host in full, or allow another host with --host URL", "écrivez le schéma et l'hôte en entier, ou autorisez un autre hôte avec --host URL";
    CurlNoUrl => "there is no URL.", "il n'y a pas d'URL.";
    CurlNoUrlDo => "provider-auth curl {0} -- URL", "provider-auth curl {0} -- URL";
    NotConfigured => "not configured", "non configuré";
    SetThese => "set {0}", "définissez {0}";
    NoneConfigured => "no provider is configured.", "aucun fournisseur n'est configuré.";
    NoneConfiguredDo => "`provider-auth login PROVIDER`, variables (`provider-auth providers show PROVIDER`), or `provider-auth sandbox -- CMD` to try", "`provider-auth login FOURNISSEUR`, des variables (`provider-auth providers show FOURNISSEUR`), ou `provider-auth sandbox -- CMD` pour essayer";
    Stored => "{0}: the credentials work; stored in {1}, for you alone, in the clear", "{0} : les identifiants fonctionnent ; enregistrés dans {1}, pour vous seul, en clair";
    StoredKeyring => "{0}: the credentials work; stored in the keyring", "{0} : les identifiants fonctionnent ; enregistrés dans le trousseau";
    Removed => "{0}: removed the credentials from {1}", "{0} : identifiants retirés de {1}";
    NothingRemoved => "{0}: nothing was stored", "{0} : rien n'était enregistré";
    OptionalPrompt => "{0} (Enter for none): ", "{0} (Entrée pour aucun) : ";
    Prompt => "{0}: ", "{0} : ";
    Cleared => "{0} removed", "{0} supprimé(s)";
    NoToken => "no token", "pas de jeton";
    LeftOf => "{0} of {1}", "{0} sur {1}";
    RefusedFor => "refused, not asked again for {0}", "refusé, pas de nouvelle demande avant {0}";
    BeingAsked => "being asked for", "en cours de demande";
    TokenTooLong => "this is no token: it is longer than 64 KiB.", "ce n'est pas un jeton : plus de 64 Kio.";
    TokenNotText => "this is no token: it is empty, or no text.", "ce n'est pas un jeton : il est vide, ou n'est pas du texte.";
    TokenDo => "provider-auth token PROVIDER | provider-auth inspect", "provider-auth token FOURNISSEUR | provider-auth inspect";
    Opaque => "opaque: no JWT, {0} characters", "opaque : pas un JWT, {0} caractères";
    NotVerified => "signature not verified", "signature non vérifiée";
    Expired => "expired", "expiré";
    UriUnknown => "the URI belongs to no configured provider.", "l'URI n'appartient à aucun fournisseur configuré.";
    UriUnknownDo => "send {0} on standard input, with a provider's host", "envoyez {0} sur l'entrée standard, avec l'hôte d'un fournisseur";
    ExecVersion => "KUBERNETES_EXEC_INFO asks for a version other than v1 and v1beta1.", "KUBERNETES_EXEC_INFO demande une version autre que v1 et v1beta1.";
    ExecVersionDo => "set apiVersion of the exec plugin to client.authentication.k8s.io/v1", "fixez apiVersion du plugin exec à client.authentication.k8s.io/v1";
    SandboxFailed => "the sandbox cannot start: {0}.", "le bac à sable ne peut pas démarrer : {0}.";
    SandboxFailedDo => "choose another --port", "choisissez un autre --port";
    SandboxServing => "# serving made-up credentials until Ctrl-C", "# sert des identifiants fictifs jusqu'à Ctrl-C";
    ShellUnknown => "only names of letters, digits and `_` can be set in a shell.", "seuls les noms faits de lettres, chiffres et `_` peuvent être définis dans un shell.";
    // Columns and words.
    ColumnProvider => "PROVIDER", "FOURNISSEUR";
    ColumnWhere => "WHERE", "OÙ";
    ColumnFrom => "FROM", "SOURCE";
    ColumnState => "STATE", "ÉTAT";
    ColumnLeft => "LEFT", "RESTE";
    ColumnTook => "TOOK", "DURÉE";
    ColumnVariables => "VARIABLES", "VARIABLES";
    ColumnAbout => "WHAT", "QUOI";
    StateFresh => "ok", "ok";
    StateFailed => "failed", "échec";
    FromCache => "cache", "cache";
    Forever => "unknown", "inconnu";
    EnvFile => "--env-file", "--env-file";
    Profile => "profile", "profil";
    Environment => "environment", "environnement";
    Keyring => "keyring", "trousseau";
    Configured => "configured", "configuré";
    Required => "required", "requis";
    Optional => "optional", "facultatif";
    Flow => "flow", "flux";
    Host => "host", "hôte";
    Variables => "variables (each also as NAME_FILE, the path of a file with the value)", "variables (chacune aussi sous NOM_FILE, le chemin d'un fichier qui contient la valeur)";
    AboutDigitalpaye => "mobile money, Côte d'Ivoire", "mobile money, Côte d'Ivoire";
    AboutDigishare => "messaging, Morocco", "messagerie, Maroc";
    AboutTresorpay => "treasury, Mali", "trésor public, Mali";
    AboutPapaya => "payroll", "paie";
    AboutManis => "merchant payments", "paiements marchands";
    // Help.
    HelpUsage => "Usage:", "Utilisation :";
    HelpCommands => "Commands", "Commandes";
    HelpArguments => "Arguments", "Arguments";
    HelpOptions => "Options", "Options";
    HelpGlobal => "Options of every command", "Options de toutes les commandes";
}

impl Text {
    /// The sentence.
    pub(crate) const fn to(self, lang: Lang) -> &'static str {
        let (english, french) = self.both();
        match lang {
            Lang::En => english,
            Lang::Fr => french,
        }
    }

    /// The sentence with its values.
    pub(crate) fn with(self, lang: Lang, values: &[&str]) -> String {
        let mut text = self.to(lang).to_owned();
        for (at, value) in values.iter().enumerate() {
            text = text.replace(&format!("{{{at}}}"), value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_stands_in_both_languages_with_the_same_values() {
        let holes = |text: &str| ["{0}", "{1}", "{2}"].map(|hole| text.contains(hole));
        for text in Text::ALL {
            let (english, french) = text.both();
            assert!(!english.trim().is_empty() && !french.trim().is_empty(), "{text:?}");
            assert_eq!(holes(english), holes(french), "{text:?}");
            let ticks = |text: &str| text.matches('`').count();
            assert_eq!(ticks(english) % 2, 0, "{text:?}");
            assert_eq!(ticks(french) % 2, 0, "{text:?}");
        }
    }

    #[test]
    fn values_are_put_in() {
        let text = Text::Stored.with(Lang::En, &["manis", "a file"]);
        assert!(text.starts_with("manis: ") && text.contains("stored in a file"), "{text}");
    }
}
