//! The whole of the daemon's state, and what can be asked and told.

mod apply;
mod ask;
mod events;
mod link;
mod lookup;
mod observe;
mod paths;
mod scope;
mod services;
mod view;

use std::{
    cell::{Cell, Ref, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

pub use events::{Event, Observed};
pub use link::LinkChange;
pub use observe::Ended;
pub use paths::Paths;
pub use scope::{Scopes, Unicast};
pub use view::{DelegateView, GlobalView, LinkView, ScopeView};

use hickory_proto::rr::Name;

use crate::{
    access::Access,
    cache::Cache,
    config::{self, Config, Diagnostic, DnssdService},
    links::{LinkSettings, Network},
    llmnr::Llmnr,
    local::{HostName, Local},
    mdns::Mdns,
    resolv_conf,
    stats::Statistics,
};

/// All there is. Its methods are the daemon's whole interface; see the modules for them.
pub struct Manager {
    paths: Paths,
    config: RefCell<Rc<Config>>,
    /// The servers and domains of /etc/resolv.conf, if another program writes it.
    foreign: RefCell<resolv_conf::Foreign>,
    network: RefCell<Network>,
    settings: RefCell<BTreeMap<u32, Rc<LinkSettings>>>,
    /// Registered by calls; those of files stand in the configuration.
    services: RefCell<Vec<DnssdService>>,
    scopes: RefCell<Rc<Scopes>>,
    /// Notified when the scopes are others.
    moved: tokio::sync::Notify,
    /// Transactions under way, so that two lookups share one.
    in_flight: scope::InFlight,
    /// What was learnt.
    pub cache: Cache,
    /// Who may do what.
    pub access: Access,
    /// What was counted.
    pub statistics: Statistics,
    /// What this machine answers by itself.
    pub local: Local,
    /// LLMNR on all links.
    pub llmnr: Rc<Llmnr>,
    /// mDNS on all links.
    pub mdns: Rc<Mdns>,
    /// With the label that LLMNR answers to, whatever conflicts made of it.
    host_name: RefCell<Rc<HostName>>,
    observers: events::Observers,
    /// Lookups that ended, for those who watch.
    pub observed: observe::Queries,
    /// The properties that were last told, to tell only changes.
    told: RefCell<events::Told>,
    changing: Cell<bool>,
    /// Of [`Local::generation`], when last looked at.
    local_generation: Cell<u64>,
}

impl Manager {
    /// Reads the configuration and what was saved. The network is empty until [`Manager::network_changed`].
    #[must_use]
    pub fn new(paths: Paths) -> (Rc<Self>, Vec<Diagnostic>) {
        let (config, diagnostics) = config::load(&paths.sources);
        let manager = Rc::new(Self {
            cache: Cache::new(config.cache_size),
            local: Local::new(paths.local.clone()),
            foreign: RefCell::default(),
            network: RefCell::default(),
            settings: RefCell::default(),
            services: RefCell::default(),
            scopes: RefCell::default(),
            moved: tokio::sync::Notify::new(),
            in_flight: scope::InFlight::default(),
            access: Access::default(),
            statistics: Statistics::default(),
            llmnr: Llmnr::new(),
            mdns: Mdns::new(),
            host_name: RefCell::new(Rc::new(HostName::read())),
            observers: events::Observers::default(),
            observed: observe::Queries::default(),
            told: RefCell::default(),
            changing: Cell::new(false),
            local_generation: Cell::new(0),
            config: RefCell::new(Rc::new(config)),
            paths,
        });
        manager.listen_to_conflicts();
        (manager, diagnostics)
    }

    /// Other machines may have our names.
    fn listen_to_conflicts(self: &Rc<Self>) {
        // A machine has one name: what one protocol had to take the other takes, too.
        let follow = |follow: fn(&Self)| {
            let manager = Rc::downgrade(self);
            move || {
                if let Some(manager) = manager.upgrade() {
                    follow(&manager);
                    manager.changed();
                }
            }
        };
        let by_llmnr = |this: &Self| this.mdns.follow_host_name(&this.llmnr.host_name());
        let by_mdns = |this: &Self| this.llmnr.follow_host_name(&this.mdns.host_name());
        self.llmnr.on_change(Box::new(follow(by_llmnr)));
        self.mdns.on_change(Box::new(follow(by_mdns)));
        let manager = Rc::downgrade(self);
        self.mdns.on_conflict(Box::new(move |id| {
            if let Some(manager) = manager.upgrade() {
                manager.tell(&Event::ServiceConflict(id.to_owned()));
            }
        }));
    }

    /// What the administrator set.
    #[must_use]
    pub fn config(&self) -> Rc<Config> {
        Rc::clone(&self.config.borrow())
    }

    /// The links as the kernel has them. Not to be held over an `.await`.
    #[must_use]
    pub fn network(&self) -> Ref<'_, Network> {
        self.network.borrow()
    }

    /// The machine's names.
    #[must_use]
    pub fn host_name(&self) -> Rc<HostName> {
        Rc::clone(&self.host_name.borrow())
    }

    /// Who is asked, as things stand.
    #[must_use]
    pub fn scopes(&self) -> Rc<Scopes> {
        Rc::clone(&self.scopes.borrow())
    }

    /// Where everything is.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Forgets all that was learnt.
    pub fn flush_caches(&self) {
        self.cache.flush();
        self.llmnr.flush();
        self.mdns.flush();
        tracing::info!("Flushed all caches");
    }

    /// Forgets what was learnt of one name.
    pub fn flush_name(&self, name: &Name) {
        self.cache.flush_name(name);
        // What neighbours said is kept by link.
        self.mdns.flush();
        tracing::info!("Flushed what was known of {name}");
    }

    /// Begins to count anew.
    pub fn reset_statistics(&self) {
        self.statistics.reset();
        self.cache.reset_statistics();
    }

    /// Forgets what was learnt of the servers' abilities, and what they answered.
    pub fn reset_server_features(&self) {
        for unicast in self.scopes().unicast() {
            unicast.upstream.reset_features();
        }
        self.cache.flush();
        tracing::info!("Forgot what the servers can");
    }
}
