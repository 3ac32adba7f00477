//! Addresses as text.

use crate::{
    address::{Address, Family, Guid, Machine, Transport, Unix, escape::unescape},
    error::{Error, Result},
    hex,
};

/// The longest list of arguments of `unixexec:`.
const MAX_ARGUMENTS: usize = 256;

/// The addresses of a list, to be tried in turn. Ways that nobody knows are passed over.
///
/// # Errors
/// [`Error::Invalid`]: it is a way that is known, but no address of it; [`Error::Range`]: its process is none.
pub fn addresses(list: &[u8]) -> impl Iterator<Item = Result<Address>> {
    list.split(|byte| *byte == b';').filter_map(|text| {
        let colon = text.iter().position(|byte| *byte == b':')?;
        let (transport, rest) = text.split_at_checked(colon)?;
        let parse = match transport {
            b"unix" => unix,
            b"unixexec" => unix_exec,
            b"tcp" => tcp,
            b"x-machine-unix" => machine,
            _ => return None,
        };
        Some(address(rest.get(1..)?, parse))
    })
}

fn address(text: &[u8], parse: fn(&mut Pairs) -> Result<Transport>) -> Result<Address> {
    let mut pairs = Pairs::new(text)?;
    let guid = pairs.take(b"guid").map(|text| guid(&text)).transpose()?;
    let transport = parse(&mut pairs)?;
    Ok(Address { transport, guid })
}

fn unix(pairs: &mut Pairs) -> Result<Transport> {
    type Place = fn(Vec<u8>) -> Unix;
    let keys: [(&[u8], Place); 4] = [
        (b"path", Unix::Path),
        (b"abstract", Unix::Abstract),
        (b"dir", Unix::Directory),
        (b"tmpdir", Unix::Directory),
    ];
    let mut found = Vec::new();
    for (key, place) in keys {
        if let Some(value) = pairs.take(key) {
            if value.is_empty() || key != b"abstract" && value.contains(&0) {
                return Err(Error::Invalid);
            }
            found.push(place(value));
        }
    }
    if let Some(value) = pairs.take(b"runtime") {
        found.push(Unix::Runtime);
        if value != b"yes" {
            return Err(Error::Invalid);
        }
    }
    match <[Unix; 1]>::try_from(found) {
        Ok([unix]) => Ok(Transport::Unix(unix)),
        Err(_) => Err(Error::Invalid),
    }
}

fn unix_exec(pairs: &mut Pairs) -> Result<Transport> {
    let path = pairs.take(b"path").filter(|path| !path.is_empty());
    let path = path.ok_or(Error::Invalid)?;
    let mut arguments = vec![pairs.take(b"argv0").unwrap_or_else(|| path.clone())];
    while let Some(argument) = pairs.take(format!("argv{}", arguments.len()).as_bytes()) {
        arguments.push(argument);
    }
    let has_nul = |text: &Vec<u8>| text.contains(&0);
    // What is left is one behind a gap.
    if pairs.any(|key| key.starts_with(b"argv"))
        || arguments.len() > MAX_ARGUMENTS
        || has_nul(&path)
        || arguments.iter().any(has_nul)
    {
        return Err(Error::Invalid);
    }
    Ok(Transport::UnixExec { path, arguments })
}

fn tcp(pairs: &mut Pairs) -> Result<Transport> {
    let mut text = |key| {
        pairs
            .take(key)
            .filter(|text| !text.is_empty() && !text.contains(&0))
    };
    let host = text(b"host".as_slice()).ok_or(Error::Invalid)?;
    let port = text(b"port").ok_or(Error::Invalid)?;
    let family = match pairs.take(b"family").as_deref() {
        None => None,
        Some(b"ipv4") => Some(Family::Ipv4),
        Some(b"ipv6") => Some(Family::Ipv6),
        Some(_) => return Err(Error::Invalid),
    };
    Ok(Transport::Tcp { host, port, family })
}

fn machine(pairs: &mut Pairs) -> Result<Transport> {
    let machine = match (pairs.take(b"machine"), pairs.take(b"pid")) {
        (Some(name), None) => {
            let name = String::from_utf8(name).map_err(|_| Error::Invalid)?;
            if !is_machine(&name) {
                return Err(Error::Invalid);
            }
            Machine::Name(name)
        }
        (None, Some(number)) => Machine::Leader(process(&number)?),
        _ => return Err(Error::Invalid),
    };
    Ok(Transport::Machine(machine))
}

/// Whether it has the form of a host name, or is the host itself. It becomes part of a path.
pub fn is_machine(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(is_part)
    };
    name == ".host" || name.len() <= 64 && name.split('.').all(is_label)
}

fn process(number: &[u8]) -> Result<u32> {
    let digits = number.iter().all(u8::is_ascii_digit) && !number.is_empty();
    let number = str::from_utf8(number).ok().filter(|_| digits);
    match number.ok_or(Error::Invalid)?.parse() {
        // pid_t is signed.
        Ok(number) if (1..=i32::MAX as u32).contains(&number) => Ok(number),
        _ => Err(Error::Range),
    }
}

/// 32 hexadecimal digits.
pub(crate) fn guid(text: &[u8]) -> Result<Guid> {
    let bytes = str::from_utf8(text).ok().and_then(hex::decode);
    let bytes = bytes.ok_or(Error::Invalid)?;
    bytes.try_into().map_err(|_| Error::Invalid)
}

/// The keys and values of an address.
struct Pairs(Vec<(Vec<u8>, Vec<u8>)>);

impl Pairs {
    fn new(text: &[u8]) -> Result<Self> {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for pair in text
            .split(|byte| *byte == b',')
            .filter(|pair| !pair.is_empty())
        {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (key, value) = pair
                .split_at_checked(equals.ok_or(Error::Invalid)?)
                .ok_or(Error::Invalid)?;
            let value = unescape(value.get(1..).unwrap_or_default())?;
            if pairs.len() > 2 * MAX_ARGUMENTS || pairs.iter().any(|(known, _)| known == key) {
                return Err(Error::Invalid);
            }
            pairs.push((key.to_vec(), value));
        }
        Ok(Self(pairs))
    }

    fn take(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let place = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.swap_remove(place).1)
    }

    fn any(&self, mut is: impl FnMut(&[u8]) -> bool) -> bool {
        self.0.iter().any(|(key, _)| is(key))
    }
}
