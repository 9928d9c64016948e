//! The providers' ports and services, while a sandbox starts.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crate::behaviour::Behaviour;
use crate::journal::Journal;
use crate::listen::listen;
use crate::service::Service;
use crate::shared::{Shared, Start};
use crate::site::Site;
use crate::{Credentials, Error, Handle, SandboxBuilder};

/// The providers of a sandbox while they are being opened.
pub(crate) struct Opening<'a> {
    builder: &'a SandboxBuilder,
    journal: Arc<Journal>,
    /// The only port, if there is one.
    shared_port: Option<(Vec<TcpListener>, SocketAddr)>,
    sites: Vec<(TcpListener, Site)>,
    services: Vec<Arc<Service>>,
}

impl<'a> Opening<'a> {
    pub(crate) fn new(builder: &'a SandboxBuilder) -> Result<Self, Error> {
        let journal = Arc::new(Journal::new(builder.tap.clone()));
        let shared_port =
            builder.one_port.then(|| listen(builder.address, builder.port)).transpose()?;
        Ok(Self { builder, journal, shared_port, sites: Vec::new(), services: Vec::new() })
    }

    /// Binds one provider's port, unless there is one for all.
    pub(crate) fn add<P: Behaviour>(&mut self, behaviour: P) -> Result<Handle<P>, Error> {
        let builder = self.builder;
        let provider = behaviour.provider();
        let (listeners, address) = match &self.shared_port {
            Some((_, address)) => (Vec::new(), *address),
            None => {
                let at = u16::try_from(self.services.len()).unwrap_or(u16::MAX);
                let port = builder.port.checked_add(at).ok_or(Error::PortRange(builder.port))?;
                listen(builder.address, if builder.port == 0 { 0 } else { port })?
            }
        };
        let mut base_url = format!("{}://{}:{}", builder.scheme(), builder.host(), address.port());
        if self.shared_port.is_some() {
            base_url = format!("{base_url}/{provider}");
        }
        let mut own = builder.accounts.iter().filter(|(of, _)| *of == provider).map(|(_, it)| it);
        let first = own.next().cloned().unwrap_or_else(|| {
            if builder.fixed { Credentials::fixed(provider) } else { Credentials::random() }
        });
        let start = Start {
            provider,
            address,
            base_url,
            internal: builder.is_internal(),
            strict: builder.strict,
            lifetime: builder.lifetime.unwrap_or_else(|| behaviour.lifetime()),
            first,
            more: own.cloned().collect(),
        };
        let shared = Arc::new(Shared::new(start, Arc::clone(&self.journal)));
        let own = Arc::new(behaviour);
        let behaviour: Arc<dyn Behaviour> = Arc::<P>::clone(&own);
        let service = Arc::new(Service { shared: Arc::clone(&shared), behaviour });
        for listener in listeners {
            self.sites.push((listener, Site::Provider(Arc::clone(&service))));
        }
        self.services.push(service);
        Ok(Handle::new(shared, own))
    }

    /// Every listener, and what it leads to.
    pub(crate) fn sites(mut self) -> Vec<(TcpListener, Site)> {
        for listener in self.shared_port.into_iter().flat_map(|(listeners, _)| listeners) {
            self.sites.push((listener, Site::OnePort(self.services.clone())));
        }
        self.sites
    }
}
