//! Trust anchors: what DNSSEC validation begins with, and where it does not take place.

mod built_in;

pub(super) use self::built_in::{of_the_root, private_zones};
