//! What a server can do, found out as it answers.
//!
//! Each rung is tried from the top. A server that answers with an error of format, without EDNS, or not at all, is asked
//! on the next rung down, and after a while on the highest again: it may have been the network's fault.

use std::time::Duration;

use tokio::time::Instant;

use crate::mode::{DnsOverTls, Dnssec};

/// The rungs, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    /// In the clear over TCP alone.
    Tcp,
    /// UDP, as in RFC 1035.
    Udp,
    /// UDP with EDNS (RFC 6891).
    Edns,
    /// TLS with EDNS.
    TlsEdns,
    /// UDP with EDNS and signatures (the DO bit).
    EdnsDo,
    /// TLS with EDNS and signatures.
    TlsEdnsDo,
}

impl Level {
    const ALL: [Self; 6] = [
        Self::Tcp,
        Self::Udp,
        Self::Edns,
        Self::TlsEdns,
        Self::EdnsDo,
        Self::TlsEdnsDo,
    ];

    /// As io.systemd.Resolve.Monitor has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Edns => "UDP+EDNS0",
            Self::TlsEdns => "TLS+EDNS0",
            Self::EdnsDo => "UDP+EDNS0+DO",
            Self::TlsEdnsDo => "TLS+EDNS0+DO",
        }
    }

    pub const fn encrypted(self) -> bool {
        matches!(self, Self::TlsEdns | Self::TlsEdnsDo)
    }

    pub const fn edns(self) -> bool {
        !matches!(self, Self::Tcp | Self::Udp)
    }

    pub const fn signatures(self) -> bool {
        matches!(self, Self::EdnsDo | Self::TlsEdnsDo)
    }
}

/// The rungs that the settings leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// For this server: its scheme, or `DNSOverTLS=`.
    pub tls: DnsOverTls,
    /// `DNSSEC=`.
    pub dnssec: Dnssec,
}

impl Policy {
    fn allows(self, level: Level) -> bool {
        let tls = match self.tls {
            DnsOverTls::No => !level.encrypted(),
            DnsOverTls::Opportunistic => true,
            DnsOverTls::Yes => level.encrypted(),
        };
        let dnssec = match self.dnssec {
            Dnssec::No => !level.signatures(),
            Dnssec::AllowDowngrade => true,
            Dnssec::Yes => level.signatures(),
        };
        tls && dnssec
    }
}

/// How many lost in a row are not taken for chance.
const LOST: u32 = 3;
/// After so long the highest rung is tried again; doubled each time, up to the second.
const GRACE: Duration = Duration::from_secs(5 * 60);
const GRACE_MAX: Duration = Duration::from_secs(6 * 3600);

/// Where a server stands.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    policy: Policy,
    level: Level,
    verified: Option<Level>,
    tls_failed: bool,
    lost: u32,
    grace: Duration,
    lowered: Option<Instant>,
}

impl Ladder {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            level: top(policy),
            verified: None,
            tls_failed: false,
            lost: 0,
            grace: GRACE,
            lowered: None,
        }
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The rung to ask on.
    pub fn level(&mut self, now: Instant) -> Level {
        if self.lowered.is_some_and(|since| now >= since + self.grace) {
            self.grace = (self.grace * 2).min(GRACE_MAX);
            self.lowered = None;
            self.start_again();
        }
        self.level
    }

    /// Without trying the highest again.
    pub fn possible(&self) -> Level {
        self.level
    }

    /// The highest rung that it answered on since.
    pub fn verified(&self) -> Option<Level> {
        self.verified
    }

    /// Lost in a row.
    pub fn lost_in_a_row(&self) -> u32 {
        self.lost
    }

    /// It answered on this rung.
    pub fn answered(&mut self, level: Level) {
        self.lost = 0;
        // Even if it was given up for lost meanwhile: it is slow, not unable.
        if level > self.level && !(level.encrypted() && self.tls_failed) {
            self.level = level;
        }
        self.verified = self.verified.max(Some(level));
    }

    /// No answer in time on this rung.
    pub fn lost(&mut self, level: Level, now: Instant) {
        if level != self.level {
            return;
        }
        self.lost += 1;
        if self.lost < LOST {
            return;
        }
        self.lost = 0;
        if !self.lower(level, now) {
            // Not a word on any rung: it is down, and that says nothing about what it can do.
            self.start_again();
            self.lowered = None;
        }
    }

    /// It does not understand what it was asked on this rung. False: there is none below.
    pub fn not_understood(&mut self, level: Level, now: Instant) -> bool {
        level > self.level || self.lower(level, now)
    }

    /// No TLS to be had. False: it is a must.
    pub fn no_tls(&mut self, level: Level, now: Instant) -> bool {
        self.tls_failed = true;
        self.not_understood(level, now)
    }

    /// It answers without EDNS to questions with EDNS.
    pub fn no_edns(&mut self, now: Instant) {
        while self.level.edns() && self.lower(self.level, now) {}
    }

    /// Signatures are missing from its answers, so it is not asked for them. False: they are a must.
    pub fn no_signatures(&mut self, now: Instant) -> bool {
        while self.level.signatures() {
            if !self.lower(self.level, now) {
                return false;
            }
        }
        true
    }

    fn lower(&mut self, level: Level, now: Instant) -> bool {
        let below = Level::ALL.into_iter().rev().find(|next| {
            *next < level && self.policy.allows(*next) && !(next.encrypted() && self.tls_failed)
        });
        let Some(below) = below else {
            return false;
        };
        self.level = below;
        self.verified = self.verified.filter(|verified| *verified <= below);
        self.lost = 0;
        self.lowered = Some(now);
        true
    }

    fn start_again(&mut self) {
        self.level = top(self.policy);
        self.tls_failed = false;
        self.verified = None;
    }
}

fn top(policy: Policy) -> Level {
    // Every policy leaves one: TLS and signatures are together on the highest.
    Level::ALL
        .into_iter()
        .rev()
        .find(|level| policy.allows(*level))
        .unwrap_or(Level::TlsEdnsDo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(tls: DnsOverTls, dnssec: Dnssec) -> Ladder {
        Ladder::new(Policy { tls, dnssec })
    }

    #[test]
    fn rungs_follow_the_settings() {
        use DnsOverTls as T;
        use Dnssec as D;
        for (tls, dnssec, expected) in [
            (T::No, D::No, Level::Edns),
            (T::No, D::Yes, Level::EdnsDo),
            (T::Opportunistic, D::No, Level::TlsEdns),
            (T::Opportunistic, D::AllowDowngrade, Level::TlsEdnsDo),
            (T::Yes, D::No, Level::TlsEdns),
            (T::Yes, D::Yes, Level::TlsEdnsDo),
        ] {
            assert_eq!(ladder(tls, dnssec).possible(), expected, "{tls} {dnssec}");
        }
    }

    #[test]
    fn strict_modes_leave_nothing_below() {
        let now = Instant::now();
        let mut strict = ladder(DnsOverTls::Yes, Dnssec::No);
        assert!(!strict.no_tls(Level::TlsEdns, now));
        assert!(!strict.not_understood(Level::TlsEdns, now));
        let mut strict = ladder(DnsOverTls::No, Dnssec::Yes);
        assert!(!strict.no_signatures(now));
        assert_eq!(strict.level(now), Level::EdnsDo);
    }

    #[test]
    fn three_lost_in_a_row_and_a_second_chance() {
        let now = Instant::now();
        let mut ladder = ladder(DnsOverTls::No, Dnssec::No);
        ladder.lost(Level::Edns, now);
        ladder.lost(Level::Edns, now);
        ladder.answered(Level::Edns);
        ladder.lost(Level::Edns, now);
        assert_eq!(ladder.level(now), Level::Edns);
        ladder.lost(Level::Edns, now);
        ladder.lost(Level::Edns, now);
        assert_eq!(ladder.level(now), Level::Udp);
        assert_eq!(
            ladder.level(now + GRACE - Duration::from_secs(1)),
            Level::Udp
        );
        assert_eq!(ladder.level(now + GRACE), Level::Edns);
        // The next time it is left below for twice as long.
        let later = now + GRACE;
        assert!(ladder.not_understood(Level::Edns, later));
        assert_eq!(ladder.level(later + GRACE), Level::Udp);
        assert_eq!(ladder.level(later + 2 * GRACE), Level::Edns);
    }

    #[test]
    fn a_server_that_is_down_is_not_unable() {
        let now = Instant::now();
        let mut ladder = ladder(DnsOverTls::Opportunistic, Dnssec::AllowDowngrade);
        for level in Level::ALL.into_iter().rev() {
            assert_eq!(ladder.level(now), level);
            for _ in 0..LOST {
                ladder.lost(level, now);
            }
        }
        assert_eq!(ladder.level(now), Level::TlsEdnsDo);
    }

    #[test]
    fn a_late_answer_tells_that_it_can() {
        let now = Instant::now();
        let mut ladder = ladder(DnsOverTls::No, Dnssec::No);
        for _ in 0..LOST {
            ladder.lost(Level::Edns, now);
        }
        assert_eq!(ladder.level(now), Level::Udp);
        ladder.answered(Level::Edns);
        assert_eq!(ladder.level(now), Level::Edns);
    }

    #[test]
    fn without_tls_its_other_rungs_are_left_out() {
        let now = Instant::now();
        let mut ladder = ladder(DnsOverTls::Opportunistic, Dnssec::AllowDowngrade);
        assert!(ladder.no_tls(Level::TlsEdnsDo, now));
        assert_eq!(ladder.level(now), Level::EdnsDo);
        assert!(ladder.not_understood(Level::EdnsDo, now));
        assert_eq!(ladder.level(now), Level::Edns);
    }
}
