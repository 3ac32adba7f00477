//! Interfaces as tables.

use std::{future::Future, pin::Pin};

use crate::{
    call::{Answer, Call},
    failure::Failure,
};

/// What a handler's future yields.
pub type Reply<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

/// Answers the calls of a method: `|state, call| Box::pin(list(state, call))`.
pub type Handler<S> = for<'a> fn(&'a S, Call<'a>) -> Reply<'a>;

/// A Varlink interface, served on behalf of a state `S`.
#[derive(Debug)]
pub struct Interface<S: 'static> {
    /// Its name: `io.systemd.Machine`.
    pub name: &'static str,
    /// Its description in Varlink's interface definition language, as GetInterfaceDescription gives it.
    pub description: &'static str,
    /// Its methods.
    pub methods: &'static [Method<S>],
}

/// A method: its name without the interface's, and what answers it. One that is described but not in the table answers
/// MethodNotImplemented.
#[derive(Debug)]
pub struct Method<S>(pub &'static str, pub Handler<S>);

impl<S> Clone for Interface<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Interface<S> {}

impl<S> Interface<S> {
    /// The handler of a method.
    pub(crate) fn handler(&self, method: &str) -> Option<Handler<S>> {
        self.methods
            .iter()
            .find(|Method(name, _)| *name == method)
            .map(|Method(_, handler)| *handler)
    }
}
