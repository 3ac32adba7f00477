//! What the numbers of sd-path.h mean.

/// What a number stands for.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Fixed(&'static str),
    /// Files that nobody keeps: where they go if no variable says it.
    Temporary(&'static str),
    /// What a variable says.
    Variable(&'static str),
    /// The libraries of this architecture: of the system, and of the user.
    Libraries,
    HomeLibraries,
    /// What a variable says, or a path below the user's home.
    Home(Option<&'static str>, &'static str),
    /// What is below the user's folder of configuration.
    Configuration(&'static str),
    /// What user-dirs.dirs says by this name, or a path below the user's home.
    UserDirectory(&'static str, &'static str),
    List(&'static [&'static str]),
    Search(Search<'static>),
    /// The libraries of this architecture, the user's first.
    SearchLibraries,
    SystemUnits,
    UserUnits,
    /// What a variable says, ended by a colon these, too.
    Overridden(&'static str, &'static [&'static str]),
    /// Each folder of configuration, with this below it; of a user by those of the user.
    Below(&'static str),
    HomeBelow(&'static str),
}

/// Where programs look for something, one folder after the other.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// What says where it is in the home; with what is below that else.
    pub home_variable: Option<&'a str>,
    pub home: &'a str,
    /// What says where else it is.
    pub variable: Option<&'a str>,
    /// Whether that says where it is in the home, too.
    pub is_all: bool,
    pub others: &'a [&'a str],
}

use Place::{
    Below, Configuration, Fixed, Home, HomeBelow, HomeLibraries, Libraries, List, Overridden,
    SearchLibraries, SystemUnits, Temporary, UserDirectory, UserUnits, Variable,
};

const BINARIES: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// In the order of sd-path.h.
const PLACES: &[Place] = &[
    Temporary("/tmp"),
    Temporary("/var/tmp"),
    Fixed("/usr/bin"),
    Fixed("/usr/include"),
    Fixed("/usr/lib"),
    Libraries,
    Fixed("/usr/share"),
    Fixed("/usr/share/factory/etc"),
    Fixed("/usr/share/factory/var"),
    Fixed("/etc"),
    Fixed("/run"),
    Fixed("/run/log"),
    Fixed("/var/lib"),
    Fixed("/var/log"),
    Fixed("/var/cache"),
    Fixed("/var/spool"),
    Home(None, ".local/bin"),
    Home(None, ".local/lib"),
    HomeLibraries,
    Home(Some("XDG_DATA_HOME"), ".local/share"),
    Home(Some("XDG_CONFIG_HOME"), ".config"),
    Variable("XDG_RUNTIME_DIR"),
    Home(Some("XDG_CACHE_HOME"), ".cache"),
    Home(None, ""),
    UserDirectory("XDG_DOCUMENTS_DIR", ""),
    UserDirectory("XDG_MUSIC_DIR", ""),
    UserDirectory("XDG_PICTURES_DIR", ""),
    UserDirectory("XDG_VIDEOS_DIR", ""),
    UserDirectory("XDG_DOWNLOAD_DIR", ""),
    UserDirectory("XDG_PUBLICSHARE_DIR", ""),
    UserDirectory("XDG_TEMPLATES_DIR", ""),
    UserDirectory("XDG_DESKTOP_DIR", "Desktop"),
    Place::Search(Search {
        home_variable: None,
        home: ".local/bin",
        variable: Some("PATH"),
        is_all: true,
        others: BINARIES,
    }),
    List(BINARIES),
    Place::Search(Search {
        home_variable: None,
        home: ".local/lib",
        variable: None,
        is_all: false,
        others: &["/usr/local/lib", "/usr/lib", "/lib"],
    }),
    SearchLibraries,
    Place::Search(Search {
        home_variable: Some("XDG_DATA_HOME"),
        home: ".local/share",
        variable: Some("XDG_DATA_DIRS"),
        is_all: false,
        others: &["/usr/local/share", "/usr/share"],
    }),
    List(&["/usr/local/share/factory/etc", "/usr/share/factory/etc"]),
    List(&["/usr/local/share/factory/var", "/usr/share/factory/var"]),
    Place::Search(Search {
        home_variable: Some("XDG_CONFIG_HOME"),
        home: ".config",
        variable: Some("XDG_CONFIG_DIRS"),
        is_all: false,
        others: &["/etc"],
    }),
    Fixed("/usr/lib/systemd"),
    Fixed("/usr/lib/systemd/system"),
    Fixed("/usr/lib/systemd/system-preset"),
    Fixed("/etc/systemd/system"),
    Fixed("/usr/lib/systemd/user"),
    Fixed("/usr/lib/systemd/user-preset"),
    Fixed("/etc/systemd/user"),
    SystemUnits,
    UserUnits,
    Fixed("/usr/lib/systemd/system-generators"),
    Fixed("/usr/lib/systemd/user-generators"),
    Overridden(
        "SYSTEMD_GENERATOR_PATH",
        &[
            "/run/systemd/system-generators",
            "/etc/systemd/system-generators",
            "/usr/local/lib/systemd/system-generators",
            "/usr/lib/systemd/system-generators",
        ],
    ),
    Overridden(
        "SYSTEMD_GENERATOR_PATH",
        &[
            "/run/systemd/user-generators",
            "/etc/systemd/user-generators",
            "/usr/local/lib/systemd/user-generators",
            "/usr/lib/systemd/user-generators",
        ],
    ),
    Fixed("/usr/lib/systemd/system-sleep"),
    Fixed("/usr/lib/systemd/system-shutdown"),
    Fixed("/usr/lib/tmpfiles.d"),
    Fixed("/usr/lib/sysusers.d"),
    Fixed("/usr/lib/sysctl.d"),
    Fixed("/usr/lib/binfmt.d"),
    Fixed("/usr/lib/modules-load.d"),
    Fixed("/usr/lib/systemd/catalog"),
    Below("systemd/network"),
    Fixed("/usr/lib/systemd/system-environment-generators"),
    Fixed("/usr/lib/systemd/user-environment-generators"),
    Overridden(
        "SYSTEMD_ENVIRONMENT_GENERATOR_PATH",
        &[
            "/run/systemd/system-environment-generators",
            "/etc/systemd/system-environment-generators",
            "/usr/local/lib/systemd/system-environment-generators",
            "/usr/lib/systemd/system-environment-generators",
        ],
    ),
    Overridden(
        "SYSTEMD_ENVIRONMENT_GENERATOR_PATH",
        &[
            "/run/systemd/user-environment-generators",
            "/etc/systemd/user-environment-generators",
            "/usr/local/lib/systemd/user-environment-generators",
            "/usr/lib/systemd/user-environment-generators",
        ],
    ),
    Home(Some("XDG_STATE_HOME"), ".local/state"),
    Fixed("/etc/credstore"),
    Below("credstore"),
    Fixed("/etc/credstore.encrypted"),
    Below("credstore.encrypted"),
    Configuration("credstore"),
    HomeBelow("credstore"),
    Configuration("credstore.encrypted"),
    HomeBelow("credstore.encrypted"),
    Below(""),
];

pub fn place(number: u64) -> Option<Place> {
    PLACES.get(usize::try_from(number).ok()?).copied()
}
