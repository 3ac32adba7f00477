//! What is announced on a link.

use hickory_proto::rr::Name;

use super::{
    State,
    own::{self, Group},
    specifier,
};
use crate::mode::Multicast;

/// The host, and the services whose names are still ours; nothing where names are only looked up.
pub(super) fn groups(state: &State, ifindex: u32) -> Vec<Group> {
    let Some(on) = state
        .links
        .get(&ifindex)
        .filter(|on| on.mode == Multicast::Yes)
    else {
        return Vec::new();
    };
    let label = state.label.as_str();
    let Some(host) = own::host(label, &on.link) else {
        return Vec::new();
    };
    let mut taken: Vec<Name> = vec![host.name.clone()];
    let mut groups = Vec::new();
    for service in &state.services {
        if state.lost.contains(&service.id) {
            continue;
        }
        let instance = specifier::expand(&service.name_template, label);
        let group = instance.and_then(|instance| own::service(service, &instance, &host.name));
        match group {
            // Two of ours of one name: the first has it.
            Some(group) if !taken.contains(&group.name) => {
                taken.push(group.name.clone());
                groups.push(group);
            }
            Some(_) => tracing::debug!("Service {} has the name of another of ours", service.id),
            None => tracing::debug!("Service {} has no name that could be announced", service.id),
        }
    }
    groups.insert(0, host);
    groups
}
