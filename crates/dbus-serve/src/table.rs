//! The tables that describe an interface. All of it is `const`, so that a table is a `static`.

use futures_util::future::LocalBoxFuture;
use zbus::{Message, Signature, Variant};

use crate::{call::Call, error::Error};

/// The signature and the name of one argument.
pub type Arg = (&'static str, &'static str);

/// What a handler ends with: the reply ([`Call::reply`]) or an error.
pub type Reply = Result<Message, Error>;

/// A reply that takes its time.
pub type Later = LocalBoxFuture<'static, Reply>;

/// An interface whose methods work on an `O`.
pub struct Interface<O: 'static> {
    /// Its name.
    pub name: &'static str,
    /// In the order of introspection.
    pub methods: &'static [Method<O>],
    /// In the order of introspection and of GetAll.
    pub properties: &'static [Property<O>],
    /// What it may emit.
    pub signals: &'static [Signal],
}

/// How a method is answered.
pub enum Handler<O> {
    /// At once, without waiting for anything.
    Now(fn(&O, &Call) -> Reply),
    /// By a task of its own.
    Later(fn(O, Call) -> Later),
}

/// A method.
pub struct Method<O: 'static> {
    pub(crate) name: &'static str,
    pub(crate) takes: &'static [Arg],
    pub(crate) gives: &'static [Arg],
    pub(crate) handler: Handler<O>,
    pub(crate) privileged: bool,
    pub(crate) operation: bool,
}

impl<O> Method<O> {
    /// A method that anyone may call; its handler may still refuse.
    pub const fn new(
        name: &'static str,
        takes: &'static [Arg],
        gives: &'static [Arg],
        handler: Handler<O>,
    ) -> Self {
        Self {
            name,
            takes,
            gives,
            handler,
            privileged: false,
            operation: false,
        }
    }

    /// Only root may call it.
    pub const fn privileged(mut self) -> Self {
        self.privileged = true;
        self
    }

    /// It does long work, counted against [`crate::Limits::operations`].
    pub const fn operation(mut self) -> Self {
        self.operation = true;
        self
    }
}

/// What a client may believe about a property that it read once: org.freedesktop.DBus.Property.EmitsChangedSignal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It changes, and nobody is told.
    Silent,
    /// It never changes.
    Never,
    /// PropertiesChanged tells that it changed.
    Invalidates,
    /// PropertiesChanged tells its new value.
    Told,
}

/// Sets a property of an object to a value that is of the property's type.
pub type Set<O> = fn(&O, &Variant<'_>) -> Result<(), Error>;

/// A property.
pub struct Property<O: 'static> {
    pub(crate) name: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) change: Change,
    pub(crate) hidden: bool,
    pub(crate) get: fn(&O) -> Variant<'static>,
    pub(crate) set: Option<Set<O>>,
}

impl<O> Property<O> {
    /// A property that anyone may read.
    pub const fn new(
        name: &'static str,
        signature: &'static str,
        change: Change,
        get: fn(&O) -> Variant<'static>,
    ) -> Self {
        Self {
            name,
            signature,
            change,
            hidden: false,
            get,
            set: None,
        }
    }

    /// It can be read, but stands neither in introspection data nor in GetAll.
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Root may write it.
    pub const fn writable(mut self, set: Set<O>) -> Self {
        self.set = Some(set);
        self
    }
}

/// A signal.
pub struct Signal {
    /// Its name.
    pub name: &'static str,
    /// Its arguments.
    pub args: &'static [Arg],
}

/// Whether a body of this signature fits these arguments. (A structure `(su)` can't be told from the two arguments `su`:
/// zbus reads both as one, and they lie the same way in the body.)
pub(crate) fn fits(signature: &Signature, args: &[Arg]) -> bool {
    match (signature, args) {
        (Signature::Unit, []) => true,
        (Signature::Unit, _) | (_, []) => false,
        (signature, [(one, _)]) => signature == one,
        (Signature::Structure(fields), args) => {
            fields.iter().count() == args.len()
                && fields
                    .iter()
                    .zip(args)
                    .all(|(field, (arg, _))| field == arg)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Arg, fits};
    use zbus::Signature;

    #[test]
    fn signatures() {
        let many: &[Arg] = &[("s", "a"), ("ay", "b"), ("a(sv)", "c")];
        let cases: &[(&str, &[Arg], bool)] = &[
            ("", &[], true),
            ("s", &[], false),
            ("", &[("s", "a")], false),
            ("s", &[("s", "a")], true),
            ("u", &[("s", "a")], false),
            ("as", &[("as", "a")], true),
            ("ss", &[("s", "a")], false),
            ("saya(sv)", many, true),
            ("saya(ss)", many, false),
            ("say", many, false),
        ];
        for (text, args, expected) in cases {
            let signature = Signature::try_from(*text).unwrap();
            assert_eq!(fits(&signature, args), *expected, "{text} {args:?}");
        }
    }
}
