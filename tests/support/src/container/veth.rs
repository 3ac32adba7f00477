//! The network of a container: a veth `host0`, whose other end is `ve-NAME` in the sandbox.

use std::fs;

use super::Container;
use crate::Command;
use crate::must::Must;

impl Container {
    /// Brings its loopback up and makes its veth.
    #[track_caller]
    pub(super) fn connect(&mut self, veth: bool) {
        let mut inside = "link set lo up\n".to_string();
        if veth {
            let name = format!("ve-{}", self.name);
            let name = name.get(..15).unwrap_or(&name); // IFNAMSIZ
            let (v4, v6) = (self.ipv4(), self.ipv6());
            let gate = |address: &str| address.trim_end_matches('2').to_string() + "1";
            let outside = format!(
                "link add {name} type veth peer name host0 netns {}\naddr add {}/24 dev {name}\n\
                 addr add {}/64 dev {name} nodad\nlink set {name} up\n",
                self.leader,
                gate(&v4),
                gate(&v6)
            );
            batch(Command::new("ip"), &outside);
            inside += &format!(
                "addr add {v4}/24 dev host0\naddr add {v6}/64 dev host0 nodad\nlink set host0 up\n"
            );
            let index = fs::read_to_string(format!("/sys/class/net/{name}/ifindex"));
            let index = index.must("the veth's index");
            self.interface = Some(index.trim().parse().must("an interface index"));
        }
        let leader = self.leader.to_string();
        batch(
            Command::new("nsenter").args(["-t", &leader, "--net", "ip"]),
            &inside,
        );
    }
}

#[track_caller]
fn batch(ip: Command, lines: &str) {
    ip.args(["-batch", "-"]).input(lines).run().ok();
}
