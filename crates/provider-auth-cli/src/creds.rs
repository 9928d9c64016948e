//! Where credentials come from, in order: `--env-file`, `--profile`, the environment, the profile
//! `default`, the keyring. The first place that has some wins; one that is broken is an error.

use std::sync::{Arc, OnceLock};

use auth_core::{
    Chain, Env, Error, FromEnv, Resolve, Resolver as _, SharedTokenSource, TokenExchange,
};

use crate::args::Global;
use crate::envfile::{self, Pairs};
use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;

/// The profile of `login` without `--profile`.
pub(crate) const DEFAULT: &str = "default";

/// How a chain says that no place has any.
const NOWHERE: &str = "no credentials are configured";

/// A place that may have credentials.
#[derive(Clone, Debug)]
struct Place {
    /// For errors.
    name: &'static str,
    shown: Text,
    env: Env,
}

/// The places of this call, read once.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    places: Vec<Place>,
    #[cfg_attr(not(feature = "keyring"), allow(dead_code))] // the name of its items
    profile: String,
}

/// What a place gave.
pub(crate) enum Found {
    /// A flow that asks for tokens.
    Flow(Arc<dyn TokenExchange>),
    /// A token that was made by hand (Digishare's dashboard).
    Pasted(SharedTokenSource),
}

impl Places {
    /// Reads the files that the options name.
    pub(crate) fn open(global: &Global) -> Result<Self, Stop> {
        let mut places = Vec::new();
        let mut add = |name, shown, env| places.push(Place { name, shown, env });
        if let Some(path) = &global.env_file {
            add("--env-file", Text::EnvFile, env(&envfile::read(path)?));
        }
        if let Some(name) = &global.profile {
            let pairs = envfile::read(&envfile::profile(name)?)?;
            add("the profile", Text::Profile, env(&pairs));
        }
        add("the environment", Text::Environment, Env::process());
        if global.profile.is_none()
            && let Some(path) = envfile::profile(DEFAULT).ok().filter(|path| path.exists())
        {
            add("the profile", Text::Profile, env(&envfile::read(&path)?));
        }
        let profile = global.profile.clone().unwrap_or_else(|| DEFAULT.to_owned());
        Ok(Self { places, profile })
    }

    /// Finds a provider's credentials, and says where.
    pub(crate) async fn find(&self, provider: Provider) -> Result<(Found, Text), Stop> {
        if let Some(pasted) = self.pasted(provider) {
            let (made, shown) = pasted;
            return Ok((Found::Pasted(made?), shown));
        }
        let answered = Arc::new(OnceLock::new());
        let mut chain = Chain::new();
        for place in &self.places {
            let (answered, shown) = (Arc::clone(&answered), place.shown);
            let read = move |env: &Env| {
                let flow = provider.read_env(env)?;
                answered.get_or_init(|| shown);
                Ok(flow)
            };
            chain = chain.or(place.name, FromEnv::new(place.env.clone(), read));
        }
        #[cfg(feature = "keyring")]
        {
            let keys = crate::keys::Keys::new(provider, &self.profile);
            chain = chain.or("the keyring", keys);
        }
        let found = chain.resolve(Resolve::Exchange).await;
        let found = found.and_then(|found| found.ok_or_else(|| Error::config("no credentials")));
        match found {
            Ok(flow) => {
                let shown = answered.get().copied().unwrap_or(Text::Keyring);
                Ok((Found::Flow(flow), shown))
            }
            Err(error) if error.message().starts_with(NOWHERE) => {
                // The names that are missing are more of a help than the places.
                let missing = provider.read_env(&Env::from_pairs([("", "")])).err();
                Err(missing.unwrap_or(error).with_provider(provider.name()).into())
            }
            Err(error) => Err(error.with_provider(provider.name()).into()),
        }
    }

    /// Whether no place has any variable of a provider.
    pub(crate) fn is_absent(&self, provider: Provider) -> bool {
        self.first(provider).is_none()
    }

    /// The first place with a variable of a provider.
    pub(crate) fn first(&self, provider: Provider) -> Option<Text> {
        self.place(provider).map(|(_, shown)| shown)
    }

    /// That place's variables, and how it is shown.
    pub(crate) fn place(&self, provider: Provider) -> Option<(&Env, Text)> {
        let names: Vec<_> = provider.vars().iter().map(|var| var.name).collect();
        let place = self.places.iter().find(|place| place.env.any_set(&names))?;
        Some((&place.env, place.shown))
    }

    /// A token by hand, if the first place with credentials of Digishare has one.
    fn pasted(&self, provider: Provider) -> Option<(Result<SharedTokenSource, Error>, Text)> {
        const PASTED: &str = "DIGISHARE_PERSONAL_ACCESS_TOKEN";
        if provider != Provider::Digishare {
            return None;
        }
        let fetched = ["DIGISHARE_CLIENT_ID", "DIGISHARE_CLIENT_SECRET"];
        let any = |place: &&Place| place.env.any_set(&[PASTED]) || place.env.any_set(&fetched);
        let place = self.places.iter().find(any).filter(|place| place.env.any_set(&[PASTED]))?;
        let made = provider_auth::digishare::source_read_env(&place.env);
        Some((made, place.shown))
    }
}

/// Pairs as variables.
pub(crate) fn env(pairs: &Pairs) -> Env {
    Env::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
