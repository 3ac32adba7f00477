//! The addresses of machines, known before anyone asks: a socket in each machine's network namespace, subscribed to what
//! changes there.
//!
//! When an address changes the kernel queues a message. It is taken in when somebody asks, so the answer is current; and
//! if there is a map of known answers, which nobody asks us for, as soon as it is there.

use std::{
    cell::{Cell, Ref, RefCell},
    fs::File,
    io,
    net::IpAddr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, epoll::EventFlags, poll},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use crate::{
    address::{Address, Table},
    class::Class,
    epoll::Epoll,
    error::Error,
    machine::Machine,
    namespace::{self, Id},
    neighbour,
    rtnetlink::{self, ADDRESS_CHANGES, Incoming, LONGEST_DATAGRAM, Message},
    stir::Pace,
};

/// How often a dump that changes came in between of is begun anew, for one question.
const MOST_DUMPS: usize = 4;

/// How many datagrams are taken in for one question: a machine that makes them faster than we read must not hold us.
const MOST_DATAGRAMS: usize = 1024;

/// For how long a leader that was seen in a namespace is taken to be there. Nothing tells when one leaves, and to look is a
/// third of what an answer costs.
const STAY: Duration = Duration::from_millis(10);

/// The listening post in one namespace.
#[derive(Debug)]
pub(crate) struct Network {
    namespace: Id,
    /// When the leader was seen there.
    seen: Instant,
    socket: OwnedFd,
    table: Table,
    /// Whether the table holds all that there is: false after a dump that changes kept coming in between of.
    is_whole: bool,
    /// How often its changes have been taken in lately without being asked for.
    pub pace: Pace,
}

/// All of them share a buffer.
#[derive(Debug)]
pub(crate) struct Networks {
    own: Id,
    buffer: RefCell<Box<[u8]>>,
    /// The posts of all machines.
    pub stirring: Epoll,
    /// Whether changes are to be seen without being asked for.
    is_followed: Cell<bool>,
}

impl Networks {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            own: namespace::id_of_own("net").ok_or(io::ErrorKind::NotFound)?,
            buffer: RefCell::new(vec![0; LONGEST_DATAGRAM].into()),
            stirring: Epoll::new()?,
            is_followed: Cell::new(false),
        })
    }

    /// From now on changes in the namespaces of machines yet to be opened are seen without being asked for.
    pub fn follow(&self) {
        self.is_followed.set(true);
    }

    /// Whether the changes of a machine are seen from now on.
    pub fn watch(&self, machine: &Machine, network: &Network) {
        if machine.class == Class::Host || !self.is_followed.get() {
            return;
        }
        let (name, leader) = (&machine.name, machine.leader.pid);
        if let Err(error) = self
            .stirring
            .add(&network.socket, leader, EventFlags::empty())
        {
            tracing::warn!("Failed to watch the addresses of machine {name}: {error}");
        }
    }

    /// Until it is [watched](Self::watch) again, they are seen when somebody asks.
    pub fn leave(&self, network: &Network) {
        self.stirring.remove(&network.socket);
    }

    /// Begins to listen in a machine's namespace; when it returns its addresses are known. A namespace that can't be
    /// entered is told to the log: the machine is one all the same.
    pub fn open(&self, machine: &Machine) {
        if machine.class == Class::Vm {
            return;
        }
        let network = self.network_of(machine).unwrap_or_else(|error| {
            let name = &machine.name;
            tracing::warn!("Failed to open the network namespace of machine {name}: {error}");
            None
        });
        let addresses = network.as_ref().map(|network| network.table.sorted());
        if let Some(network) = &network {
            self.watch(machine, network);
        }
        machine.network.replace(network);
        machine.addresses.replace(addresses);
    }

    /// Takes in what has changed: whether anything has.
    pub fn refresh(&self, machine: &Machine) -> bool {
        let is_there = machine
            .network
            .borrow()
            .as_ref()
            .is_some_and(Network::stays);
        if !is_there && self.has_moved(machine) {
            self.open(machine);
            return true;
        }
        let mut network = machine.network.borrow_mut();
        let Some(network) = network.as_mut() else {
            return false;
        };
        if !is_there {
            network.seen = Instant::now();
        }
        match network.take_in(&mut self.buffer.borrow_mut()) {
            Ok(false) => false,
            Ok(true) => {
                machine.addresses.replace(Some(network.table.sorted()));
                true
            }
            // What was known stays, and the next question reads anew.
            Err(error) => {
                let name = &machine.name;
                tracing::debug!("Failed to read the addresses of machine {name}: {error}");
                network.is_whole = false;
                true
            }
        }
    }

    /// Whether the leader has left for another namespace since we looked. Of one that has ended nothing is known.
    pub fn has_moved(&self, machine: &Machine) -> bool {
        if machine.class == Class::Host {
            return false;
        }
        let known = machine
            .network
            .borrow()
            .as_ref()
            .map(|network| network.namespace);
        let now = namespace::id_of(machine.leader.pid, "net");
        now.is_some_and(|now| Some(now) != known && (known.is_some() || now != self.own))
    }

    /// A VM's addresses: those that were given with it; else its SSH's, if that is an address; else what the host's
    /// interfaces to it have for neighbours.
    pub fn addresses_of_vm(&self, machine: &Machine) -> Result<Vec<Address>, Error> {
        let plain = |ip| Address {
            ip,
            scope: 0,
            ifindex: 0,
        };
        if let Some(given) = given_to_vm(machine) {
            return Ok(given.into_iter().map(plain).collect());
        }
        let mut buffer = self.buffer.borrow_mut();
        let found = neighbour::on_interfaces(&machine.network_interfaces, &mut buffer);
        let found = found.map_err(Error::io("Failed to read the neighbour table"))?;
        if found.is_empty() {
            let name = &machine.name;
            return Err(Error::NotSupported(format!(
                "No address of machine {name} is known"
            )));
        }
        Ok(found)
    }

    /// `None` if the machine shares our network.
    fn network_of(&self, machine: &Machine) -> io::Result<Option<Network>> {
        if machine.class == Class::Host {
            let socket = rtnetlink::socket(ADDRESS_CHANGES)?;
            return self.listen(self.own, socket).map(Some);
        }
        let file = File::open(format!("/proc/{}/ns/net", machine.leader.pid))?;
        let id = file.metadata()?.ino();
        // Else the number may be another's by now, and the file another's namespace.
        if !machine.leader.is_alive() || id == self.own {
            return Ok(None);
        }
        self.listen(id, socket_in(file)?).map(Some)
    }

    fn listen(&self, namespace: Id, socket: OwnedFd) -> io::Result<Network> {
        let table = Table::default();
        let mut network = Network {
            namespace,
            seen: Instant::now(),
            socket,
            table,
            is_whole: false,
            pace: Pace::default(),
        };
        network.dump(&mut self.buffer.borrow_mut())?;
        Ok(network)
    }
}

/// The addresses of a VM that can't change: those given with it, else its SSH's.
pub(crate) fn given_to_vm(machine: &Machine) -> Option<Vec<IpAddr>> {
    if !machine.given_addresses.is_empty() {
        return Some(machine.given_addresses.to_vec());
    }
    let ssh = machine.ssh_address.as_ref()?;
    ssh.parse().ok().map(|ip| vec![ip])
}

/// The machines whose known addresses may be old: for one that the kernel has told nothing new of, they are not. One system
/// call tells; a leader that has left one known namespace for another is not seen by it.
pub(crate) fn with_news(machines: &[Rc<Machine>]) -> Vec<&Rc<Machine>> {
    let machines = machines.iter().filter(|machine| machine.class != Class::Vm);
    let networks: Vec<(_, Ref<'_, Option<Network>>)> = machines
        .map(|machine| (machine, machine.network.borrow()))
        .collect();
    let (mut news, mut quiet, mut sockets) = (Vec::new(), Vec::new(), Vec::new());
    for (machine, network) in &networks {
        match &**network {
            Some(network) if network.is_whole => {
                quiet.push(*machine);
                sockets.push(PollFd::new(&network.socket, PollFlags::IN));
            }
            _ => news.push(*machine),
        }
    }
    let failed = poll(&mut sockets, Some(&Timespec::default())).is_err();
    let told = quiet.into_iter().zip(sockets);
    news.extend(told.filter_map(|(machine, socket)| {
        (failed || !socket.revents().is_empty()).then_some(machine)
    }));
    news
}

impl Network {
    /// Whether all its addresses are known.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether the leader is taken to be there yet.
    fn stays(&self) -> bool {
        self.seen.elapsed() < STAY
    }

    /// Whether anything has changed.
    fn take_in(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        if !self.is_whole {
            self.dump(buffer)?;
            return Ok(true);
        }
        let mut changed = false;
        for _ in 0..MOST_DATAGRAMS {
            match rtnetlink::receive(&self.socket, buffer)? {
                Incoming::Nothing => break,
                Incoming::Overrun => {
                    self.dump(buffer)?;
                    return Ok(true);
                }
                Incoming::Messages(messages) => {
                    changed = true;
                    self.apply(messages);
                }
            }
        }
        Ok(changed)
    }

    /// Reads the namespace anew.
    fn dump(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.is_whole = false;
        for _ in 0..MOST_DUMPS {
            // What is still queued is older than what will be dumped, but would be applied after it is forgotten.
            self.discard(buffer)?;
            self.table.clear();
            rtnetlink::ask_for_addresses(&self.socket)?;
            if self.read_dump(buffer)? {
                self.is_whole = true;
                return Ok(());
            }
        }
        // Better an answer out of a namespace that never rests than none; the next question reads it again.
        Ok(())
    }

    fn discard(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..MOST_DATAGRAMS {
            if let Incoming::Nothing = rtnetlink::receive(&self.socket, buffer)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the dump is whole. The kernel dumps while we read, so there is nothing to wait for. Changes that come in
    /// between are applied in the order in which they happened.
    fn read_dump(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let mut is_whole = true;
        for _ in 0..MOST_DATAGRAMS {
            let Incoming::Messages(messages) = rtnetlink::receive(&self.socket, buffer)? else {
                return Ok(false);
            };
            for message in messages {
                match message {
                    Message::Route(message) => self.table.apply(&message),
                    Message::Done { interrupted } => {
                        is_whole &= !interrupted;
                        return Ok(is_whole);
                    }
                    Message::Refused(error) => return Err(error),
                }
            }
        }
        Ok(false)
    }

    fn apply(&mut self, messages: Vec<Message>) {
        for message in messages {
            if let Message::Route(message) = message {
                self.table.apply(&message);
            }
        }
    }
}

/// A socket in another network namespace. A namespace belongs to a thread, so a thread goes there, and ends there: ours
/// never is in any but its own.
fn socket_in(network_namespace: File) -> io::Result<OwnedFd> {
    let enter = move || {
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(network_namespace.as_fd(), kind)?;
        rtnetlink::socket(ADDRESS_CHANGES)
    };
    let thread = thread::Builder::new()
        .name("netns".to_owned())
        .stack_size(64 * 1024);
    let thread = thread.spawn(enter)?;
    thread
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the thread ended early")))
}
