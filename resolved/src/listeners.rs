//! The stub's listeners, as they are configured.

use std::{io, rc::Rc};

use resolved::{
    config::Config,
    manager::Manager,
    stub::{Settings, Sockets, Stub},
};

/// Of the cache's memory as much again is for copies in wire form.
const PART_FOR_COPIES: usize = 4;

/// The listeners at work.
pub struct Listeners {
    settings: Settings,
    stub: Option<Stub>,
}

/// Makes the sockets that are configured. What can't be is named, and the rest serves.
pub fn bind(config: &Config) -> Sockets {
    bind_by(&settings(config))
}

fn bind_by(settings: &Settings) -> Sockets {
    let (sockets, errors) = Sockets::bind(settings);
    for (address, error) in errors {
        tracing::warn!("Failed to listen on {address}: {error}");
    }
    sockets
}

fn settings(config: &Config) -> Settings {
    Settings {
        listener: config.stub_listener,
        extra: config.extra_listeners.clone(),
        wire_bytes: config.cache_size / PART_FOR_COPIES,
        threads: 0,
    }
}

impl Listeners {
    /// Begins to answer. Once privileges are dropped: see [`Stub::start`].
    pub fn start(sockets: Sockets, manager: &Rc<Manager>) -> io::Result<Self> {
        let settings = settings(&manager.config());
        let stub = start(sockets, manager, &settings)?;
        Ok(Self {
            settings,
            stub: Some(stub),
        })
    }

    /// Listens as configured now.
    pub async fn follow(&mut self, manager: &Rc<Manager>) {
        let settings = settings(&manager.config());
        if settings == self.settings {
            return;
        }
        if let Some(stub) = self.stub.take() {
            stub.end().await;
        }
        match start(bind_by(&settings), manager, &settings) {
            Ok(stub) => self.stub = Some(stub),
            Err(error) => tracing::error!("Failed to listen: {error}"),
        }
        self.settings = settings;
    }
}

fn start(sockets: Sockets, manager: &Rc<Manager>, settings: &Settings) -> io::Result<Stub> {
    Stub::start(
        sockets,
        Rc::clone(manager),
        manager.cache.shared(),
        settings,
    )
}
