//! Under what something is kept: bytes that compare as DNS names do, without case.

use std::rc::Rc;

use hickory_proto::rr::{DNSClass, Name, RecordType};

use crate::route::{Family, ScopeId};

/// What is kept of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its records of a type, or that there are none.
    Records(RecordType),
    /// That there is no such name.
    NxDomain,
    /// That the question for a type failed; beside what is known otherwise, which may be wanted in its place.
    Failure(RecordType),
}

impl Kind {
    pub(super) const fn rtype(self) -> RecordType {
        match self {
            Self::Records(rtype) | Self::Failure(rtype) => rtype,
            Self::NxDomain => RecordType::ANY,
        }
    }

    const fn tag(self) -> u8 {
        match self {
            Self::Records(_) => 0,
            Self::NxDomain => 1,
            Self::Failure(_) => 2,
        }
    }
}

/// The bytes of a scope at the front.
const SCOPE: usize = 6;
/// Tag, type and class at the end.
const TAIL: usize = 5;

/// Scope, name in wire form and lower case, kind, type, class.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Rc<[u8]>);

impl Key {
    pub(super) fn new(scope: ScopeId, name: &Name, class: DNSClass, kind: Kind) -> Self {
        let mut bytes = Vec::with_capacity(SCOPE + name.len() + 1 + TAIL);
        bytes.extend(scope_bytes(scope));
        append_name(name, &mut bytes);
        bytes.push(kind.tag());
        bytes.extend(u16::from(kind.rtype()).to_be_bytes());
        bytes.extend(u16::from(class).to_be_bytes());
        Self(bytes.into())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_in(&self, scope: ScopeId) -> bool {
        self.0.starts_with(&scope_bytes(scope))
    }

    /// The name in wire form and lower case.
    pub(super) fn name_bytes(&self) -> &[u8] {
        let end = self.0.len().saturating_sub(TAIL);
        self.0.get(SCOPE..end).unwrap_or_default()
    }

    pub(super) fn name(&self) -> Option<Name> {
        let mut labels = Vec::new();
        let mut rest = self.name_bytes();
        while let Some((length @ 1.., after)) = rest.split_first() {
            let (label, after) = after.split_at_checked(usize::from(*length))?;
            labels.push(label);
            rest = after;
        }
        Name::from_labels(labels).ok()
    }

    pub(super) fn kind_and_class(&self) -> Option<(Kind, DNSClass)> {
        let [.., tag, t0, t1, c0, c1] = *self.0 else {
            return None;
        };
        let rtype = RecordType::from(u16::from_be_bytes([t0, t1]));
        let kind = match tag {
            0 => Kind::Records(rtype),
            1 => Kind::NxDomain,
            _ => Kind::Failure(rtype),
        };
        Some((kind, DNSClass::from(u16::from_be_bytes([c0, c1]))))
    }
}

fn scope_bytes(scope: ScopeId) -> [u8; SCOPE] {
    let family = |family| match family {
        Family::V4 => 4,
        Family::V6 => 6,
    };
    let (tag, number, family) = match scope {
        ScopeId::Global => (0, 0, 0),
        ScopeId::Link(index) => (1, index, 0),
        ScopeId::Delegate(place) => (2, place, 0),
        ScopeId::Llmnr(index, of) => (3, index, family(of)),
        ScopeId::Mdns(index, of) => (4, index, family(of)),
    };
    let [a, b, c, d] = number.to_be_bytes();
    [tag, a, b, c, d, family]
}

/// A name in wire form and lower case.
pub(super) fn name_bytes(name: &Name) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 1);
    append_name(name, &mut bytes);
    bytes
}

fn append_name(name: &Name, bytes: &mut Vec<u8>) {
    for label in name.iter() {
        // A label has at most 63 bytes.
        bytes.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        bytes.extend(label.iter().map(u8::to_ascii_lowercase));
    }
    bytes.push(0);
}
