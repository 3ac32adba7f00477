//! Services that are announced by mDNS, registered by calls.

use super::Manager;
use crate::{config::DnssdService, failure::Failure};

impl Manager {
    /// The services of files and of calls.
    #[must_use]
    pub fn services(&self) -> Vec<DnssdService> {
        let mut services = self.config().services.clone();
        services.extend(self.services.borrow().iter().cloned());
        services
    }

    /// Announces a service. Whoever may call is checked by the caller.
    ///
    /// # Errors
    /// [`Failure::DnssdServiceExists`].
    pub fn register_service(&self, service: DnssdService) -> Result<(), Failure> {
        if self.services().iter().any(|known| known.id == service.id) {
            return Err(Failure::DnssdServiceExists(service.id));
        }
        self.services.borrow_mut().push(service);
        self.mdns.set_services(&self.services());
        Ok(())
    }

    /// Withdraws a service. Those of files can be withdrawn too, until the next reload.
    ///
    /// # Errors
    /// [`Failure::NoSuchDnssdService`].
    pub fn unregister_service(&self, id: &str) -> Result<(), Failure> {
        if !self.services().iter().any(|known| known.id == id) {
            return Err(Failure::NoSuchDnssdService(id.to_owned()));
        }
        self.services.borrow_mut().retain(|known| known.id != id);
        let mut config = (*self.config()).clone();
        config.services.retain(|known| known.id != id);
        self.config.replace(config.into());
        self.mdns.set_services(&self.services());
        Ok(())
    }
}
