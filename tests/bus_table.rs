//! A table of calls, made to systemd's daemon and to ours: how like each other the answers are.

use zbus::Message;

use super::{Answer, Args, Client, PROPERTIES, values};

/// How like each other the two answers must be.
#[derive(Clone, Copy)]
pub enum Like {
    /// In everything.
    Same,
    /// In the name of the error, or the signature of the reply; the texts may differ.
    Kind,
    /// Not: ours is an error of this name, or a reply with this signature, for the reason given.
    Ours(&'static str, #[allow(dead_code)] &'static str),
}

struct Row {
    path: String,
    interface: &'static str,
    member: &'static str,
    args: Args,
    like: Like,
}

/// Calls in their order.
pub struct Table {
    manager: (&'static str, &'static str),
    show: fn(&Message) -> String,
    rows: Vec<Row>,
}

impl Table {
    /// With this object and this interface for the manager's.
    pub fn of(path: &'static str, interface: &'static str) -> Self {
        Self {
            manager: (path, interface),
            show: values,
            rows: Vec::new(),
        }
    }

    /// With another way to show what a reply holds, for what may differ from one call to the next.
    pub fn shown_by(self, show: fn(&Message) -> String) -> Self {
        Self { show, ..self }
    }

    pub fn add(
        &mut self,
        like: Like,
        path: &str,
        interface: &'static str,
        member: &'static str,
        args: Args,
    ) {
        self.rows.push(Row {
            path: path.to_owned(),
            interface,
            member,
            args,
            like,
        });
    }

    /// A method of the manager.
    pub fn manager(&mut self, like: Like, member: &'static str, args: Args) {
        let (path, interface) = self.manager;
        self.add(like, path, interface, member, args);
    }

    /// A property.
    pub fn get(&mut self, like: Like, path: &str, interface: &str, property: &str) {
        let args = vec![interface.to_owned().into(), property.to_owned().into()];
        self.add(like, path, PROPERTIES, "Get", args);
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Makes all calls.
    pub fn ask(&self, client: &Client) -> Vec<Answer> {
        let call = |row: &Row| {
            let args = row.args.iter().map(|arg| arg.try_clone().unwrap());
            client.call_shown(
                &row.path,
                row.interface,
                row.member,
                args.collect(),
                self.show,
            )
        };
        self.rows.iter().map(call).collect()
    }

    /// Fails where the answers are not as like as they must be.
    #[track_caller]
    pub fn compare(&self, peers: &[Answer], ours: &[Answer]) {
        let mut wrong = Vec::new();
        let rows = self.rows.iter().enumerate();
        for (((at, row), peer), our) in rows.zip(peers).zip(ours) {
            let good = match row.like {
                Like::Same => peer == our,
                Like::Kind => peer.kind() == our.kind(),
                Like::Ours(kind, _) => our.kind() == kind || our.is_error(kind),
            };
            if !good {
                let Row {
                    path,
                    interface,
                    member,
                    args,
                    ..
                } = row;
                wrong.push(format!(
                    "{at}: {path} {interface}.{member} {args:?}\n    peer {peer:?}\n    ours {our:?}"
                ));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} of {} differ:\n{}",
            wrong.len(),
            self.rows.len(),
            wrong.join("\n")
        );
    }
}
