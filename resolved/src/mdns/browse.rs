//! Services as they come and go. RFC 6763, 4 and 9

use std::{collections::BTreeSet, rc::Rc, time::Duration};

use hickory_proto::rr::{Name, RData, RecordType};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::{Mdns, ScopeKey, State, engine::Engine, heard::Known, own};
use crate::{clock::boottime, message::Question, name, route::Family};

/// A service, or a type of services, that came or went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Browsed {
    /// It came; else it went.
    pub added: bool,
    /// On this link.
    pub ifindex: u32,
    /// Over this family.
    pub family: Family,
    /// The instance, `Office printer`; `None` where types are browsed.
    pub name: Option<String>,
    /// `_http._tcp`.
    pub service_type: String,
    /// `local`.
    pub domain: String,
}

/// Who watches, and what it was told.
struct Browser {
    id: u64,
    /// Pointers of this name.
    name: Name,
    /// 0: all.
    ifindex: u32,
    /// They point to types, not to instances.
    types: bool,
    known: BTreeSet<Browsed>,
    sender: UnboundedSender<Vec<Browsed>>,
}

/// All who watch.
#[derive(Default)]
pub(super) struct Browsers {
    all: Vec<Browser>,
    last: u64,
}

impl Browsers {
    /// A link is new: what is watched is watched there, too.
    pub(super) fn join(&self, engine: &mut Engine, ifindex: u32, now: Duration) {
        for browser in self.all.iter().filter(|browser| browser.watches(ifindex)) {
            engine.asking.watch(&browser.name, now);
        }
    }
}

impl Browser {
    const fn watches(&self, ifindex: u32) -> bool {
        self.ifindex == 0 || self.ifindex == ifindex
    }

    /// What is there now, on one link and family.
    fn look(&self, engine: &Engine, (ifindex, family): ScopeKey, now: Duration) -> Vec<Browsed> {
        let question = Question::new(self.name.clone(), RecordType::PTR);
        let own = engine.answers(&question).into_iter().map(|own| own.record);
        let mut records: Vec<_> = own.collect();
        if let Known::Records(heard) = engine.heard.look_up(&question, Duration::ZERO, now) {
            records.extend(heard);
        }
        let browsed = |target: &Name| {
            let (name, service_type) = if self.types {
                (None, target.clone())
            } else {
                let instance = target.iter().next()?;
                (
                    Some(String::from_utf8_lossy(instance).into_owned()),
                    target.base_name(),
                )
            };
            // `_http`, `_tcp`, `local`.
            if service_type.num_labels() != 3 {
                return None;
            }
            let labels: Vec<&[u8]> = service_type.iter().collect();
            let (kind, domain) = labels.split_at_checked(2)?;
            let text = |labels: &[&[u8]]| {
                Some(name::format(
                    &Name::from_labels(labels.iter().copied()).ok()?,
                ))
            };
            Some(Browsed {
                added: true,
                ifindex,
                family,
                name,
                service_type: text(kind)?,
                domain: text(domain)?,
            })
        };
        let targets = records.iter().filter_map(|record| match &record.data {
            RData::PTR(target) => browsed(&target.0),
            _ => None,
        });
        targets.collect()
    }
}

impl Mdns {
    /// Tells which services of a type come and go, what is there already first. Ends when the receiver is dropped.
    ///
    /// `service_type`: `_http._tcp`, or `None` for the types themselves. `domain`: `local`. `ifindex`: one link, or 0 for all.
    /// Must be called in a [`tokio::runtime::LocalRuntime`].
    pub fn browse(
        self: &Rc<Self>,
        service_type: Option<&Name>,
        domain: &Name,
        ifindex: u32,
    ) -> UnboundedReceiver<Vec<Browsed>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let name = match service_type {
            Some(service_type) => service_type.clone().append_domain(domain).ok(),
            None => own::service_types(),
        };
        let Some(name) = name else {
            return receiver;
        };
        let id = {
            let mut state = self.state.borrow_mut();
            state.browsers.last += 1;
            let id = state.browsers.last;
            let browser = Browser {
                id,
                name,
                ifindex,
                types: service_type.is_none(),
                known: BTreeSet::new(),
                sender: sender.clone(),
            };
            let now = boottime();
            for ((on, _), scope) in &mut state.scopes {
                if browser.watches(*on) {
                    scope.engine.asking.watch(&browser.name, now);
                }
            }
            state.browsers.all.push(browser);
            if let Some(timer) = &state.timer {
                timer.wake();
            }
            id
        };
        self.tell_browsers();
        let mdns = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            sender.closed().await;
            if let Some(mdns) = mdns.upgrade() {
                mdns.state.borrow_mut().forget_browser(id);
            }
        });
        receiver
    }

    /// Tells each what changed for it.
    pub(super) fn tell_browsers(&self) {
        let mut state = self.state.borrow_mut();
        let State {
            browsers, scopes, ..
        } = &mut *state;
        let now = boottime();
        for browser in &mut browsers.all {
            let there = scopes
                .iter()
                .filter(|((ifindex, _), _)| browser.watches(*ifindex));
            let there = there.flat_map(|(key, scope)| browser.look(&scope.engine, *key, now));
            let there: BTreeSet<_> = there.collect();
            let gone = browser.known.difference(&there).map(|known| Browsed {
                added: false,
                ..known.clone()
            });
            let mut changes: Vec<_> = gone.collect();
            changes.extend(there.difference(&browser.known).cloned());
            browser.known = there;
            if !changes.is_empty() {
                // One that is gone is forgotten soon.
                let _ = browser.sender.send(changes);
            }
        }
    }
}

impl State {
    fn forget_browser(&mut self, id: u64) {
        let Some(at) = self
            .browsers
            .all
            .iter()
            .position(|browser| browser.id == id)
        else {
            return;
        };
        let browser = self.browsers.all.swap_remove(at);
        for ((ifindex, _), scope) in &mut self.scopes {
            if browser.watches(*ifindex) {
                scope.engine.asking.unwatch(&browser.name);
            }
        }
    }
}
