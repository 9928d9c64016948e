//! `logout`: removes stored credentials, and the cached token that they got.

use super::{Call, block_on};
use crate::cache;
use crate::creds::{DEFAULT, env};
use crate::envfile::{self, Pairs};
use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;

pub(crate) fn run(call: Call<'_>, provider: Provider) -> Result<u8, Stop> {
    let Call { global, out } = call;
    let profile = global.profile.clone().unwrap_or_else(|| DEFAULT.to_owned());
    let path = envfile::profile(&profile)?;
    let names: Vec<_> = provider.vars().iter().map(|var| var.name).collect();
    let own = |name: &str| names.contains(&name.strip_suffix("_FILE").unwrap_or(name));
    let all = if path.exists() { envfile::read(&path)? } else { Pairs::new() };
    let (gone, kept): (Pairs, Pairs) = all.into_iter().partition(|(name, _)| own(name));
    // The token goes first: without the credentials nobody could name it any more.
    if let (Ok(flow), Ok(folder)) = (provider.read_env(&env(&gone)), cache::folder()) {
        block_on(cache::clear(&folder, &*flow))??;
    }
    let mut removed = !gone.is_empty();
    if removed {
        envfile::write(&path, &kept)?;
        let shown = path.display().to_string();
        out.note(&Text::Removed.with(out.lang, &[provider.name(), &shown]));
    }
    #[cfg(feature = "keyring")]
    if crate::keys::Keys::new(provider, &profile).remove()? {
        removed = true;
        let keyring = Text::Keyring.to(out.lang);
        out.note(&Text::Removed.with(out.lang, &[provider.name(), keyring]));
    }
    if !std::mem::take(&mut removed) {
        out.note(&Text::NothingRemoved.with(out.lang, &[provider.name()]));
    }
    Ok(0)
}
