//! Every sentence of ours in English and French, in one table.

use crate::args::Lang;

macro_rules! table {
    ($($name:ident => $english:literal, $french:literal;)*) => {
        /// A sentence, in both languages. `{0}` to `{3}` stand for values.
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
    // doctor.
    DoctorAt => "at step {0} ...", "étape {0} ...";
    DoctorMachine => "this machine", "cette machine";
    DoctorWarn => "warn", "alerte";
    DoctorFail => "fail", "échec";
    DoctorSkip => "skip", "omis";
    DoctorSum => "{0} failed, {1} to look at: exit {2}", "{0} en échec, {1} à examiner : code de sortie {2}";
    DoctorWell => "nothing is wrong: a token was granted", "tout va bien : un jeton a été accordé";
    DoctorWellSoFar => "nothing is wrong so far; `--login` tries the credentials too", "rien d'anormal jusqu'ici ; `--login` essaie aussi les identifiants";
    DoctorNeeds => "needs {0}", "nécessite {0}";
    DoctorLine => "{0}", "{0}";
    DoctorEnv => "{0}, from: {1}", "{0}, source : {1}";
    DoctorEnvElsewhere => "credentials from: {0}", "identifiants, source : {0}";
    DoctorEnvDo => "fix the variable named above; `provider-auth providers show {1}` lists them all", "corrigez la variable indiquée ci-dessus ; `provider-auth providers show {1}` les liste toutes";
    DoctorConfigDo => "fix the setting named above", "corrigez le réglage indiqué ci-dessus";
    DoctorUnset => "not set: {0}", "variables non définies : {0}";
    DoctorUnsetDo => "set them, or NAME_FILE with the path of a file that has the value, or run `provider-auth login {1}`", "définissez-les, ou NOM_FILE avec le chemin d'un fichier qui contient la valeur, ou lancez `provider-auth login {1}`";
    DoctorUnsetThere => "not set: {0}; the others come from: {2}", "variables non définies : {0} ; source des autres : {2}";
    DoctorUnsetThereDo => "set them in the same place (variables of different places are not mixed), or run `provider-auth login {1}`", "définissez-les au même endroit (les variables de plusieurs sources ne sont pas mélangées), ou lancez `provider-auth login {1}`";
    DoctorPasted => "{0}: {1}", "{0} : {1}";
    DoctorPastedDo => "if that is not part of the provider's value, set {0} without it", "si cela ne fait pas partie de la valeur du fournisseur, redéfinissez {0} sans cela";
    DoctorFileMode => "{0} names a file that others may write: {1}", "{0} désigne un fichier que d'autres peuvent modifier : {1}";
    DoctorFileModeDo => "chmod go-w {1}", "chmod go-w {1}";
    DoctorEndpointDo => "fix the setting named above; if in doubt, ask the provider for its URL", "corrigez le réglage indiqué ci-dessus ; en cas de doute, demandez son URL au fournisseur";
    DoctorOtherHost => "{0} (the documented host is {1})", "{0} (l'hôte documenté est {1})";
    DoctorNoProxy => "none applies", "aucun ne s'applique";
    DoctorProxy => "{0} applies ({1})", "{0} s'applique ({1})";
    DoctorNotProxied => "{0} does not apply: NO_PROXY excludes {1}", "{0} ne s'applique pas : NO_PROXY exclut {1}";
    DoctorProxyStar => "{0} applies ({1}), although NO_PROXY has a `*.` entry for {2}", "{0} s'applique ({1}), bien que NO_PROXY ait une entrée en `*.` pour {2}";
    DoctorProxyStarDo => "remove the `*` in NO_PROXY: this client reads `.example.com` and `example.com`, not `*.example.com`", "supprimez le `*` dans NO_PROXY : ce client lit `.example.com` et `example.com`, pas `*.example.com`";
    DoctorProxyIgnored => "{0} is set but is not a usable proxy URL, so it is ignored", "{0} est défini, mais n'est pas une URL de proxy utilisable : il est ignoré";
    DoctorProxyCutShort => "{0} has a user name or password with a `/`, `?` or `#` in it, which ends the host name", "le nom d'utilisateur ou le mot de passe dans {0} contient `/`, `?` ou `#`, ce qui coupe le nom d'hôte";
    DoctorProxyUrlDo => "set {0}=http://proxy:3128 or {0}=http://user:password@proxy:3128; in the password, write `%2F` for /, `%3F` for ?, `%23` for #", "définissez {0}=http://proxy:3128 ou {0}=http://utilisateur:motdepasse@proxy:3128 ; dans le mot de passe, écrivez `%2F` pour /, `%3F` pour ?, `%23` pour #";
    DoctorProxyKind => "the proxy {0} speaks {2}, which this client does not support", "le proxy {0} parle {2}, que ce client ne prend pas en charge";
    DoctorProxyKindDo => "name an http:// or https:// proxy in {3}; if {1} needs no proxy, add it to NO_PROXY", "indiquez un proxy http:// ou https:// dans {3} ; si {1} n'a pas besoin de proxy, ajoutez-le à NO_PROXY";
    DoctorProxyLoopback => "{0} applies to {1}, which is this machine", "{0} s'applique à {1}, qui est cette machine";
    DoctorProxyLoopbackDo => "add {1} to NO_PROXY", "ajoutez {1} à NO_PROXY";
    DoctorProxyResolves => "the proxy resolves names", "le proxy résout les noms";
    DoctorProxyDown => "no connection to the proxy {0}: {2}", "aucune connexion au proxy {0} : {2}";
    DoctorProxyDownDo => "check {3}, and that the proxy is running; if {1} needs no proxy, add it to NO_PROXY", "vérifiez {3}, et que le proxy fonctionne ; si {1} n'a pas besoin de proxy, ajoutez-le à NO_PROXY";
    DoctorProxySilent => "the proxy {0} did not answer in {2} when asked for {1}", "le proxy {0} n'a pas répondu en {2} à la demande de connexion à {1}";
    DoctorProxySilentDo => "ask the proxy's operator whether it can reach {1}", "demandez à l'exploitant du proxy s'il peut joindre {1}";
    DoctorProxyAuth => "the proxy {0} wants a user name and a password", "le proxy {0} exige un nom d'utilisateur et un mot de passe";
    DoctorProxyAuthDo => "set {3}=http://user:password@proxy:3128", "définissez {3}=http://utilisateur:motdepasse@proxy:3128";
    DoctorProxyRejects => "the proxy {0} rejects the user name and password in {3}", "le proxy {0} refuse le nom d'utilisateur et le mot de passe de {3}";
    DoctorProxyRejectsDo => "correct them in {3}, with `%40` for @ and `%3A` for : inside them; this client supports only Basic authentication", "corrigez-les dans {3}, avec `%40` pour @ et `%3A` pour : ; ce client ne prend en charge que l'authentification Basic";
    DoctorProxyRefuses => "the proxy {0} makes no connection to {1} ({2})", "le proxy {0} n'établit pas de connexion vers {1} ({2})";
    DoctorProxyRefusesDo => "ask the proxy's operator to allow {1}, and whether it can reach it; if {1} needs no proxy, add it to NO_PROXY", "demandez à l'exploitant du proxy d'autoriser {1}, et s'il peut le joindre ; si {1} n'a pas besoin de proxy, ajoutez-le à NO_PROXY";
    DoctorProxyAnswers => "a proxy answers in the provider's place ({0})", "un proxy répond à la place du fournisseur ({0})";
    DoctorProxyAnswersDo => "set HTTPS_PROXY=http://user:password@proxy:3128", "définissez HTTPS_PROXY=http://utilisateur:motdepasse@proxy:3128";
    DoctorIsAddress => "an address, no name to resolve", "une adresse, pas de nom à résoudre";
    DoctorResolved => "{0}: {1} in {2} ms", "{0} : {1} en {2} ms";
    DoctorNoHost => "{0} has no address ({1})", "{0} n'a pas d'adresse ({1})";
    DoctorNoHostDo => "check the spelling of {0}, and this machine's DNS (`getent hosts {0}`, /etc/resolv.conf)", "vérifiez l'orthographe de {0}, et le DNS de cette machine (`getent hosts {0}`, /etc/resolv.conf)";
    DoctorDnsDown => "{0} could not be looked up, since DNS failed ({1})", "{0} n'a pas pu être résolu : le DNS a échoué ({1})";
    DoctorDnsSilent => "no DNS server answered for {0} in {1}", "aucun serveur DNS n'a répondu pour {0} en {1}";
    DoctorDnsSilentDo => "check /etc/resolv.conf, and that a firewall lets DNS pass", "vérifiez /etc/resolv.conf, et qu'un pare-feu laisse passer le DNS";
    DoctorPrivate => "{0} has only private addresses: {1}", "{0} n'a que des adresses privées : {1}";
    DoctorPrivateDo => "this is right for a host on your own network; otherwise a portal, a VPN or /etc/hosts gives a wrong address", "c'est normal pour un hôte de votre réseau ; sinon, un portail, un VPN ou /etc/hosts donne une mauvaise adresse";
    DoctorOnlyIpv6 => "{0} has only IPv6 addresses: {1}", "{0} n'a que des adresses IPv6 : {1}";
    DoctorOnlyIpv6Do => "make sure that this network carries IPv6 (that of containers often does not)", "assurez-vous que ce réseau prend en charge IPv6 (celui des conteneurs ne le fait souvent pas)";
    DoctorConnected => "connected to {0} in {1} ms", "connecté à {0} en {1} ms";
    DoctorSomeDead => "connected to {0} in {1} ms, but not to {2}: {3}", "connecté à {0} en {1} ms, mais pas à {2} : {3}";
    DoctorSomeDeadDo => "some requests wait for it first: have the network carry it, or disable its address family", "certaines requêtes l'attendent d'abord : faites-la acheminer par le réseau, ou désactivez sa famille d'adresses";
    DoctorSomeClosedDo => "requests go on to the next address; tell the host's operator", "les requêtes passent à l'adresse suivante ; prévenez l'exploitant de l'hôte";
    DoctorClosed => "the port is closed: {0} refuses the connection", "le port est fermé : {0} refuse la connexion";
    DoctorClosedDo => "check the port in the URL, and that the server is running", "vérifiez le port dans l'URL, et que le serveur est démarré";
    DoctorFiltered => "no answer from {0} in {1}: a firewall drops it, or the host is down", "pas de réponse de {0} en {1} : un pare-feu bloque la connexion, ou l'hôte est arrêté";
    DoctorFilteredDo => "let this machine reach {0} in the firewall (egress rules, security groups)", "autorisez {0} depuis cette machine dans le pare-feu (règles de sortie, groupes de sécurité)";
    DoctorNoRoute => "cannot reach {0}: {1}", "impossible de joindre {0} : {1}";
    DoctorNoRouteDo => "check this machine's network and routes", "vérifiez le réseau et les routes de cette machine";
    DoctorPlain => "plain http to this machine: no TLS", "HTTP en clair vers cette machine : pas de TLS";
    DoctorTls => "{0}, certificate from \"{1}\", {2} days left", "{0}, certificat émis par « {1} », encore {2} jours";
    DoctorTlsEndsDo => "ask the host's operator to renew it in time", "demandez à l'exploitant de l'hôte de le renouveler à temps";
    DoctorNoRoots => "this machine has no certificates to trust ({0})", "cette machine n'a pas de certificats de confiance ({0})";
    DoctorNoRootsDo => "install `ca-certificates` (containers often lack it), or set SSL_CERT_FILE", "installez `ca-certificates` (souvent absent des conteneurs), ou définissez SSL_CERT_FILE";
    DoctorRootsSetting => "{0} leads to no certificate: {1}", "{0} ne mène à aucun certificat : {1}";
    DoctorRootsSettingDo => "correct or unset {0}: it replaces the system's certificates, so nothing is trusted", "corrigez ou supprimez {0} : il remplace les certificats du système, donc plus rien n'est de confiance";
    DoctorTlsSilent => "{0} accepts the connection and then says nothing for {1}", "{0} accepte la connexion puis ne dit rien pendant {1}";
    DoctorTlsSilentDo => "the host is overloaded, a firewall blocks TLS, or the port is that of plain http: try from another network", "l'hôte est surchargé, un pare-feu bloque le TLS, ou le port est celui du HTTP en clair : essayez depuis un autre réseau";
    DoctorNoTls => "{0} does not speak TLS at this port", "{0} ne parle pas TLS à ce port";
    DoctorNoTlsDo => "check the port: is it that of plain http?", "vérifiez le port : est-ce celui du HTTP en clair ?";
    DoctorTlsAlert => "{0} refuses this client's TLS ({1})", "{0} refuse le TLS de ce client ({1})";
    DoctorTlsAlertDo => "the client speaks TLS 1.2 and 1.3, and HTTP/1.1: ask the host's operator; after UnrecognizedName, check the host name", "le client parle TLS 1.2 et 1.3, et HTTP/1.1 : interrogez l'exploitant de l'hôte ; après UnrecognizedName, vérifiez le nom d'hôte";
    DoctorClientCert => "{0} wants a client certificate, and this client has none", "{0} exige un certificat client, et ce client n'en a pas";
    DoctorClientCertDo => "no provider documents one: check host and port in step endpoint, and ask the provider, or the operator of a gateway in front of it", "aucun fournisseur n'en documente : vérifiez l'hôte et le port à l'étape endpoint, et interrogez le fournisseur ou l'exploitant de la passerelle";
    DoctorTlsBroken => "the handshake with {0} broke off: {1}", "la négociation avec {0} a été interrompue : {1}";
    DoctorTlsBrokenDo => "a firewall that filters by host name may do this: try from another network", "un pare-feu qui filtre par nom d'hôte peut en être la cause : essayez depuis un autre réseau";
    DoctorExpired => "the certificate of \"{0}\" expired at {1}; this machine's clock says {2}", "le certificat de « {0} » a expiré le {1} ; l'horloge de cette machine indique {2}";
    DoctorExpiredDo => "if that clock is right, ask the host's operator to renew it; if not, set the clock", "si cette horloge est juste, demandez à l'exploitant de le renouveler ; sinon réglez l'horloge";
    DoctorNotYet => "the certificate of \"{0}\" is valid from {1}; this machine's clock says {2}", "le certificat de « {0} » est valable à partir du {1} ; l'horloge de cette machine indique {2}";
    DoctorNotYetDo => "this machine's clock is behind: set it (NTP)", "l'horloge de cette machine retarde : réglez-la (NTP)";
    DoctorWrongHost => "the certificate is for {0}, not for {1}; it was issued by \"{2}\"", "le certificat est pour {0}, pas pour {1} ; il a été émis par « {2} »";
    DoctorWrongHostDo => "check the host in the URL, and DNS; a portal or a proxy may answer in its place", "vérifiez l'hôte dans l'URL, et le DNS ; un portail ou un proxy répond peut-être à sa place";
    DoctorRevoked => "the certificate of \"{0}\" was revoked", "le certificat de « {0} » a été révoqué";
    DoctorRevokedDo => "ask the host's operator; send nothing meanwhile", "demandez à l'exploitant de l'hôte ; n'envoyez rien d'ici là";
    DoctorSelfSigned => "the certificate of \"{0}\" is self-signed", "le certificat de « {0} » est auto-signé";
    DoctorSelfSignedDo => "for a test server, trust it with SSL_CERT_FILE; for a provider, something else answers in its place", "pour un serveur de test, acceptez-le avec SSL_CERT_FILE ; pour un fournisseur, autre chose répond à sa place";
    DoctorAuthorityItself => "the certificate of \"{0}\" is marked as an authority's (CA:TRUE), which this client refuses from a server", "le certificat de « {0} » est marqué comme celui d'une autorité (CA:TRUE), ce que ce client refuse d'un serveur";
    DoctorAuthorityItselfDo => "for a test server, make another (`openssl req -x509 -addext basicConstraints=critical,CA:FALSE ..`); for a provider, something else answers in its place", "pour un serveur de test, créez-en un autre (`openssl req -x509 -addext basicConstraints=critical,CA:FALSE ..`) ; pour un fournisseur, autre chose répond à sa place";
    DoctorNoIntermediate => "the server sends one certificate, issued by \"{0}\", and not that authority's own", "le serveur envoie un seul certificat, émis par « {0} », et pas celui de cette autorité";
    DoctorNoIntermediateDo => "ask the host's operator to send the intermediate; until then, add it to the system's certificates (SSL_CERT_FILE would replace them all)", "demandez à l'exploitant de l'hôte d'envoyer le certificat intermédiaire ; d'ici là, ajoutez-le à ceux du système (SSL_CERT_FILE les remplacerait tous)";
    DoctorNoIntermediateThereDo => "ask the host's operator to send the intermediate; until then, add it to the certificates of {1}, which replace the system's", "demandez à l'exploitant de l'hôte d'envoyer le certificat intermédiaire ; d'ici là, ajoutez-le aux certificats de {1}, qui remplacent ceux du système";
    DoctorUnknownIssuer => "this machine does not trust the authority \"{0}\"", "cette machine ne fait pas confiance à l'autorité « {0} »";
    DoctorUnknownIssuerDo => "if it is your company's proxy, add its certificate to the system's (`update-ca-certificates`, `update-ca-trust`; SSL_CERT_FILE would replace them all); else update `ca-certificates`, or find out who intercepts", "si c'est le proxy de votre entreprise, ajoutez son certificat à ceux du système (`update-ca-certificates`, `update-ca-trust` ; SSL_CERT_FILE les remplacerait tous) ; sinon mettez à jour `ca-certificates`, ou cherchez qui intercepte";
    DoctorUnknownIssuerThereDo => "if it is your company's proxy, add its certificate to those of {1}, which replace the system's; else unset {1}, or find out who intercepts", "si c'est le proxy de votre entreprise, ajoutez son certificat à ceux de {1}, qui remplacent ceux du système ; sinon supprimez {1}, ou cherchez qui intercepte";
    DoctorUnknownBeside => "this machine does not trust the authority \"{0}\", and {1} leads to no certificate: {2}", "cette machine ne fait pas confiance à l'autorité « {0} », et {1} ne mène à aucun certificat : {2}";
    DoctorUnknownBesideDo => "fix {1} first: the certificate of that authority may be what is missing there", "corrigez d'abord {1} : le certificat de cette autorité est peut-être ce qui y manque";
    DoctorCertificate => "the certificate is not accepted: {0}; it was issued by \"{1}\"", "le certificat n'est pas accepté : {0} ; il a été émis par « {1} »";
    DoctorCertificateDo => "ask the host's operator", "demandez à l'exploitant de l'hôte";
    DoctorClock => "the clocks agree", "les horloges concordent";
    DoctorClockBehind => "this machine's clock is {0} behind the provider's", "l'horloge de cette machine retarde de {0} sur celle du fournisseur";
    DoctorClockAhead => "this machine's clock is {0} ahead of the provider's", "l'horloge de cette machine avance de {0} sur celle du fournisseur";
    DoctorClockDo => "compare `date -u` with another machine, and set the wrong one (NTP)", "comparez `date -u` avec une autre machine, et réglez l'horloge fausse (NTP)";
    DoctorNoDate => "the answer has no date that can be read", "la réponse n'a pas de date lisible";
    DoctorSilent => "no answer from {0} in {1}", "pas de réponse de {0} en {1}";
    DoctorSilentDo => "look at the provider's status page; give it longer with --timeout", "consultez la page d'état du fournisseur ; accordez plus de temps avec --timeout";
    DoctorShape => "{0}, as documented for a request without credentials", "{0}, comme documenté pour une requête sans identifiants";
    DoctorLimited => "{0}: too many requests; Retry-After: {1}", "{0} : trop de requêtes ; Retry-After : {1}";
    DoctorLimitedDo => "wait that long; then let programs share one token instead of asking for their own", "attendez ce délai ; ensuite, laissez les programmes partager un jeton au lieu d'en demander chacun un";
    DoctorDown => "{0}: the provider is down", "{0} : le fournisseur est en panne";
    DoctorDownDo => "try again later; look at the provider's status page", "réessayez plus tard ; consultez la page d'état du fournisseur";
    DoctorRedirect => "{0}: redirected to {1}", "{0} : redirigé vers {1}";
    DoctorRedirectDo => "a portal does this, or the URL has changed; redirects are never followed, so ask the provider for its URL", "c'est l'effet d'un portail, ou l'URL a changé ; aucune redirection n'est suivie : demandez son URL au fournisseur";
    DoctorWrongPath => "{0}: there is no token endpoint at this path", "{0} : il n'y a pas de point d'accès aux jetons à ce chemin";
    DoctorWrongPathDo => "check the URL in step endpoint; a base URL ends before the provider's own path", "vérifiez l'URL de l'étape endpoint ; une URL de base s'arrête avant le chemin propre au fournisseur";
    DoctorForbidden => "{0}: refused before any credentials were looked at", "{0} : refusé avant tout examen d'identifiants";
    DoctorForbiddenDo => "ask the provider whether it lets in this machine's public IP address, and check the URL in step endpoint; `--login` shows whether credentials change it", "demandez au fournisseur s'il accepte l'adresse IP publique de cette machine, et vérifiez l'URL de l'étape endpoint ; `--login` montre si les identifiants y changent quelque chose";
    DoctorPage => "{0}: a web page answers, not the API", "{0} : une page web répond, pas l'API";
    DoctorPageDo => "a portal, a web application firewall or a login page is in between: look at it with `curl -i URL` from this machine, and ask who runs the network", "un portail, un pare-feu applicatif ou une page de connexion s'interpose : regardez avec `curl -i URL` depuis cette machine, et interrogez l'exploitant du réseau";
    DoctorUnlike => "{0} with {1}: not what is documented for a request without credentials", "{0} avec {1} : ce n'est pas la réponse documentée à une requête sans identifiants";
    DoctorUnlikeBare => "{0}: not what is documented for a request without credentials", "{0} : ce n'est pas la réponse documentée à une requête sans identifiants";
    DoctorUnlikeDo => "check that the URL is the provider's own", "vérifiez que l'URL est bien celle du fournisseur";
    DoctorNoLogin => "not asked for (--login sends the credentials)", "non demandé (--login envoie les identifiants)";
    DoctorLogin => "a token valid for {0}, in {1} ms", "un jeton valable {0}, obtenu en {1} ms";
    DoctorIssuedAhead => "a token, but dated {0} in the future", "un jeton, mais daté de {0} dans le futur";
    DoctorNoCache => "--no-cache", "--no-cache";
    DoctorCache => "tokens can be kept in {0}", "les jetons peuvent être conservés dans {0}";
    DoctorCacheDo => "check folder, owner and disk, or name another folder in PROVIDER_AUTH_CACHE_DIR; without a cache, each call asks the provider", "vérifiez le dossier, son propriétaire et le disque, ou indiquez un autre dossier dans PROVIDER_AUTH_CACHE_DIR ; sans cache, chaque appel interroge le fournisseur";
    DoctorNoStore => "{0} is not set", "{0} n'est pas défini";
    DoctorStore => "tokens can be kept in {0}, which answers in {1} ms", "les jetons peuvent être conservés dans {0}, qui répond en {1} ms";
    DoctorNoKey => "{0} answers, but {1} is not set: tokens would be stored there unencrypted", "{0} répond, mais {1} n'est pas défini : les jetons y seraient conservés en clair";
    DoctorNoKeyDo => "set {1}, the same for all replicas (`provider-auth cache key` makes one)", "définissez {1}, la même pour tous les réplicas (`provider-auth cache key` en génère une)";
    DoctorStoreDo => "fix what is named above; until then, each replica asks the provider for its own token", "corrigez ce qui est indiqué ci-dessus ; d'ici là, chaque réplica demande son propre jeton au fournisseur";
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
        let holes = |text: &str| ["{0}", "{1}", "{2}", "{3}"].map(|hole| text.contains(hole));
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
