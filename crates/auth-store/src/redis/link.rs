//! One connection, and the task that drives it: the only one that this crate spawns.

use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;

use super::heard::{Heard, Hearing};
use super::trouble::Trouble;
use super::url::Url;

/// The runtime that drives a connection: nobody else can use it. A forked child has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(Id);

impl Place {
    pub(super) fn here() -> Result<Self, Trouble> {
        Ok(Self(runtime()?.id()))
    }
}

fn runtime() -> Result<Handle, Trouble> {
    Handle::try_current()
        .map_err(|_| Trouble::of("the Redis store needs a tokio runtime: call it from within one"))
}

/// A connection that has said who we are. Its task ends with it.
pub(super) struct Link {
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
    host: Arc<str>,
    heard: Hearing,
    is_cluster: bool,
}

impl Link {
    pub(super) fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Speaks Redis over a stream: who we are, and which database.
    pub(super) async fn open<S>(stream: S, url: &Url) -> Result<Self, Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, heard) = Heard::new(stream);
        let host = Arc::clone(&url.address);
        // No credentials in these settings, so that nothing is sent here, and no time limit: the
        // caller has one.
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&settings, stream, config).await;
        let (connection, driver) = made.map_err(|_| Trouble::io(&host, &heard))?;
        let driver = runtime()?.spawn(driver);
        let mut link = Self { connection, driver, host, heard, is_cluster: false };
        link.introduce(url).await?;
        Ok(link)
    }

    /// `HELLO` is the only command besides `AUTH` that no access list forbids. It names the connection
    /// in the server's list, and says what kind of server this is. One that does not know it may
    /// be a Redis nonetheless.
    async fn introduce(&mut self, url: &Url) -> Result<(), Trouble> {
        let mut pipeline = Pipeline::new();
        if let Some(password) = &url.password {
            let auth = pipeline.cmd("AUTH");
            if let Some(user) = &url.user {
                auth.arg(user.as_str());
            }
            auth.arg(password.as_str());
        }
        pipeline.cmd("HELLO").arg(2).arg("SETNAME").arg("auth-store");
        if url.database != 0 {
            pipeline.cmd("SELECT").arg(url.database);
        }
        let sent = self.connection.clone().send_packed_commands(&pipeline, 0, pipeline.len()).await;
        let answers = sent.map_err(|_| Trouble::io(&self.host, &self.heard))?;
        let mut answers = answers.into_iter();
        if url.password.is_some()
            && let Some(Value::ServerError(error)) = answers.next()
        {
            return Err(Trouble::refused_login(&self.host, &error));
        }
        match answers.next() {
            Some(Value::ServerError(error)) => {
                if let Some(trouble) = Trouble::refused_hello(&self.host, &error) {
                    return Err(trouble);
                }
            }
            Some(Value::Array(fields)) => match mode(&fields) {
                Some(b"sentinel") => return Err(Trouble::sentinel(&self.host)),
                mode => self.is_cluster = mode == Some(b"cluster"),
            },
            _ => {}
        }
        match answers.next() {
            Some(Value::ServerError(error)) => {
                Err(Trouble::refused_database(&self.host, &error, url.database))
            }
            _ => Ok(()),
        }
    }

    /// # If the caller goes away
    /// The command may still be carried out.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, Trouble> {
        match self.connection.clone().send_packed_command(command).await {
            Ok(Value::ServerError(error)) => Err(Trouble::said(&self.host, &error)),
            Ok(value) => Ok(value),
            Err(_) => Err(Trouble::io(&self.host, &self.heard)),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The crate asks for it: the task may wait for the answers of calls that were given up.
        self.driver.abort();
    }
}

/// What kind of server it is: the value beside `mode`.
fn mode(fields: &[Value]) -> Option<&[u8]> {
    fn bytes(value: &Value) -> Option<&[u8]> {
        match value {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        }
    }
    let at = fields.iter().position(|field| bytes(field) == Some(b"mode"))?;
    bytes(fields.get(at.checked_add(1)?)?)
}
