//! The words that options are set to, in files and by calls.

use std::{fmt, str::FromStr};

/// The word is none of those that this option knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMode;

pub use config_file::parse_boolean;

macro_rules! modes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* } $(yes = $yes:ident,)? $(no = $no:ident,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The word for it in files and on both interfaces.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownMode;

            /// One of the words, or a boolean that means one of them.
            fn from_str(word: &str) -> Result<Self, UnknownMode> {
                $(if word == $word {
                    return Ok(Self::$variant);
                })*
                match parse_boolean(word) {
                    $(Some(true) => Ok(Self::$yes),)?
                    $(Some(false) => Ok(Self::$no),)?
                    _ => Err(UnknownMode),
                }
            }
        }
    };
}

modes! {
    /// How far LLMNR or mDNS goes. The lesser of the machine's and the link's holds (`min`).
    Multicast {
        /// Not at all.
        No = "no",
        /// Names are looked up, none is answered for.
        Resolve = "resolve",
        /// Both.
        Yes = "yes",
    }
    yes = Yes,
    no = No,
}

modes! {
    /// Whether queries to servers without a scheme are encrypted.
    DnsOverTls {
        /// In the clear.
        No = "no",
        /// Encrypted where the server can, unverified, and in the clear where not.
        Opportunistic = "opportunistic",
        /// Encrypted, with a server that proves its name or address; or not at all.
        Yes = "yes",
    }
    yes = Yes,
    no = No,
}

modes! {
    /// Whether answers are validated.
    Dnssec {
        /// No.
        No = "no",
        /// Unless the servers turn out unable to.
        AllowDowngrade = "allow-downgrade",
        /// Always.
        Yes = "yes",
    }
    yes = Yes,
    no = No,
}

modes! {
    /// What is kept.
    CacheMode {
        /// Nothing.
        No = "no",
        /// What there is, but not that something is not.
        NoNegative = "no-negative",
        /// Everything.
        Yes = "yes",
    }
    yes = Yes,
    no = No,
}

modes! {
    /// Where the stub listens.
    StubListener {
        /// Nowhere.
        No = "no",
        /// On UDP alone.
        Udp = "udp",
        /// On TCP alone.
        Tcp = "tcp",
        /// On both.
        Yes = "yes",
    }
    yes = Yes,
    no = No,
}

impl StubListener {
    /// On UDP.
    #[must_use]
    pub const fn udp(self) -> bool {
        matches!(self, Self::Udp | Self::Yes)
    }

    /// On TCP.
    #[must_use]
    pub const fn tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_booleans() {
        assert_eq!("resolve".parse(), Ok(Multicast::Resolve));
        assert_eq!("True".parse(), Ok(Multicast::Yes));
        assert_eq!("off".parse(), Ok(DnsOverTls::No));
        assert_eq!("allow-downgrade".parse(), Ok(Dnssec::AllowDowngrade));
        assert_eq!("maybe".parse::<Dnssec>(), Err(UnknownMode));
        assert_eq!(CacheMode::NoNegative.to_string(), "no-negative");
    }

    #[test]
    fn the_lesser_holds() {
        assert_eq!(Multicast::Yes.min(Multicast::Resolve), Multicast::Resolve);
        assert_eq!(Multicast::No.min(Multicast::Yes), Multicast::No);
    }
}
