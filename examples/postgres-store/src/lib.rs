//! A token store in PostgreSQL: one table, two functions.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::{Error, ErrorKind};
use auth_store::{Backend, RecordName, SharedStore, Snapshot, StoreKey};
use bytes::Bytes;
use tokio::sync::Mutex;
use tokio_postgres::{Client, Config, NoTls};

/// `CREATE TABLE` for the records. Call it from your migrations.
pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS auth_record (
    name text PRIMARY KEY, record bytea NOT NULL, forget timestamptz NOT NULL)";

/// Records in a table of PostgreSQL.
#[derive(Debug)]
pub struct PostgresBackend {
    config: Config,
    client: Mutex<Option<Client>>,
}

/// Makes a store of it, sealed with your key.
pub fn store(config: Config, key: StoreKey) -> SharedStore<PostgresBackend> {
    SharedStore::sealed(PostgresBackend::new(config), key)
}

impl PostgresBackend {
    pub fn new(config: Config) -> Self {
        Self { config, client: Mutex::new(None) }
    }

    /// Dials if there is no connection. One is enough: a process makes a few calls in the life of a
    /// token. How long it may take is up to the store.
    async fn connected<'a>(&self, held: &'a mut Option<Client>) -> Result<&'a Client, Error> {
        if held.as_ref().is_none_or(Client::is_closed) {
            let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
            tokio::spawn(connection);
            *held = Some(client);
        }
        held.as_ref().ok_or_else(|| Error::new(ErrorKind::Store, "postgres: no connection"))
    }
}

#[async_trait]
impl Backend for PostgresBackend {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        // The database's clock, so that no host's clock matters. Not `now()`: that is the time at
        // which a transaction began.
        const READ: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8,
            (SELECT record FROM auth_record WHERE name = $1)";
        let mut held = self.client.lock().await;
        let client = self.connected(&mut held).await?;
        let row = client.query_one(READ, &[&name.as_str()]).await.map_err(failed)?;
        let (now, record): (i64, Option<Vec<u8>>) = (row.get(0), row.get(1));
        let now = Duration::from_millis(now.unsigned_abs());
        Ok(Snapshot::new(record.map(Bytes::from), now))
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        // The first 16 bytes of each record are its own, so they tell whether it is still there.
        const INSERT: &str = "INSERT INTO auth_record (name, record, forget)
            VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
            ON CONFLICT (name) DO NOTHING";
        const UPDATE: &str = "UPDATE auth_record
            SET record = $2, forget = clock_timestamp() + $3 * interval '1 second'
            WHERE name = $1 AND substring(record FOR 16) = $4";
        const DELETE: &str = "DELETE FROM auth_record
            WHERE name = $1 AND substring(record FOR 16) = $2";
        let stamp = |record: &[u8]| record.iter().take(16).copied().collect::<Vec<_>>();
        let (name, keep) = (name.as_str(), keep.as_secs_f64());
        let mut held = self.client.lock().await;
        let client = self.connected(&mut held).await?;
        let changed = match (old, new) {
            (None, Some(new)) => client.execute(INSERT, &[&name, &new, &keep]).await,
            (Some(old), Some(new)) => {
                client.execute(UPDATE, &[&name, &new, &keep, &stamp(old)]).await
            }
            (Some(old), None) => client.execute(DELETE, &[&name, &stamp(old)]).await,
            (None, None) => Ok(0),
        };
        Ok(changed.map_err(failed)? == 1)
    }
}

/// The text is logged: what PostgreSQL says of a statement, and no value of it.
fn failed(error: tokio_postgres::Error) -> Error {
    let said = error.as_db_error().map_or_else(|| error.to_string(), |it| it.message().to_owned());
    Error::new(ErrorKind::Store, format!("postgres: {said}"))
}
