//! The steps `cache` and `store`: where tokens are kept. Each keeps, reads and removes a record that
//! belongs to no account.

use auth_core::{Env, Error, ErrorKind};
use auth_store::{Backend, RedisStore, SharedStore};

use super::finding::{Finding, Step};
use super::report::Report;
use crate::cache::{self, PATIENCE};
use crate::run::Call;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{millis_since, ticks};

/// The folder of this command's cache.
pub(super) async fn cache(report: &mut Report<'_>, call: Call<'_>) -> Result<(), Stop> {
    if call.global.no_cache {
        return report.tell(Finding::skip(Step::Cache, Text::DoctorNoCache, &[]));
    }
    let finding = match cache::open() {
        Err(error) => failed(Step::Cache, &error, Text::DoctorCacheDo),
        Ok(store) => {
            let path = store.backend().path().display().to_string();
            match report.within(Step::Cache, store.check()).await {
                Some(Ok(())) => Finding::good(Step::Cache, Text::DoctorCache, &[&path]),
                Some(Err(error)) => failed(Step::Cache, &error, Text::DoctorCacheDo),
                None => silent(Step::Cache, &path, report, Text::DoctorCacheDo),
            }
        }
    };
    report.tell(finding)
}

/// The store of a fleet, if the environment names one.
pub(super) async fn redis(report: &mut Report<'_>) -> Result<(), Stop> {
    let env = Env::process();
    if !env.any_set(&["AUTH_STORE_REDIS_URL"]) {
        let why = Finding::skip(Step::Store, Text::DoctorNoStore, &["AUTH_STORE_REDIS_URL"]);
        return report.tell(why);
    }
    let has_key = env.any_set(&["AUTH_STORE_KEY"]);
    let mut settings = RedisStore::read_env(&env);
    if !has_key {
        settings = settings.unsealed();
    }
    let began = ticks();
    let store = Box::pin(async {
        let store = settings.connect().await?.patience(PATIENCE)?;
        store.check().await?;
        Ok::<_, Error>(store)
    });
    let finding = match report.within(Step::Store, store).await {
        Some(Ok(store)) => {
            let took = millis_since(began);
            let place = place(&store);
            if has_key {
                Finding::good(Step::Store, Text::DoctorStore, &[&place, &took])
            } else {
                let texts = (Text::DoctorNoKey, Text::DoctorNoKeyDo);
                Finding::warning(Step::Store, texts, &[&place, "AUTH_STORE_KEY"])
            }
        }
        Some(Err(error)) => failed(Step::Store, &error, Text::DoctorStoreDo),
        None => silent(Step::Store, "AUTH_STORE_REDIS_URL", report, Text::DoctorStoreDo),
    };
    report.tell(finding)
}

/// Host and port, as its `Debug` shows them.
fn place<B: Backend>(store: &SharedStore<B>) -> String {
    let shown = format!("{:?}", store.backend());
    let inner = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(&shown).to_owned()
}

fn silent(step: Step, place: &str, report: &Report<'_>, advice: Text) -> Finding {
    let texts = (Text::DoctorSilent, advice);
    Finding::failure(step, ErrorKind::Store, texts, &[place, &report.limit()])
}

fn failed(step: Step, error: &Error, advice: Text) -> Finding {
    Finding::failure(step, ErrorKind::Store, (Text::DoctorLine, advice), &[error.message()])
}
