//! The shapes of io.systemd.UserDatabase's replies: what passwd and group need of them
//! (<https://systemd.io/USER_RECORD>, <https://systemd.io/GROUP_RECORD>).

use unix_call::Fault;

use crate::{Members, Scanner};

/// A field of a record, handed over as soon as it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// `userName` or `groupName`: any UTF-8, as all text here.
    Name(&'a [u8]),
    /// `uid`, of a user record.
    Uid(u32),
    /// `gid`, in both kinds of record.
    Gid(u32),
    /// `realName`
    RealName(&'a [u8]),
    /// `homeDirectory`
    Home(&'a [u8]),
    /// `shell`
    Shell(&'a [u8]),
}

/// Reads the parameters of a reply to `GetUserRecord`.
///
/// # Errors
/// [`Fault::Shape`] if there is no record, or a field of it is of another type.
pub fn user(scanner: &mut Scanner<'_, '_>, found: &mut dyn FnMut(Field<'_>)) -> Result<(), Fault> {
    record(scanner, &mut |scanner| {
        let names: &[&[u8]] = &[
            b"userName",
            b"uid",
            b"gid",
            b"realName",
            b"homeDirectory",
            b"shell",
        ];
        let mut members = Members::open(scanner, names)?;
        while let Some(member) = members.next(scanner)? {
            found(match member {
                0 => Field::Name(scanner.string()?),
                1 => Field::Uid(scanner.integer()?),
                2 => Field::Gid(scanner.integer()?),
                3 => Field::RealName(scanner.string()?),
                4 => Field::Home(scanner.string()?),
                _ => Field::Shell(scanner.string()?),
            });
        }
        Ok(())
    })
}

/// Reads the parameters of a reply to `GetGroupRecord`.
///
/// # Errors
/// [`Fault::Shape`] if there is no record, or a field of it is of another type.
pub fn group(scanner: &mut Scanner<'_, '_>, found: &mut dyn FnMut(Field<'_>)) -> Result<(), Fault> {
    record(scanner, &mut |scanner| {
        let mut members = Members::open(scanner, &[b"groupName", b"gid"])?;
        while let Some(member) = members.next(scanner)? {
            found(match member {
                0 => Field::Name(scanner.string()?),
                _ => Field::Gid(scanner.integer()?),
            });
        }
        Ok(())
    })
}

fn record(
    scanner: &mut Scanner<'_, '_>,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut complete = Err(Fault::Shape);
    let mut members = Members::open(scanner, &[b"record"])?;
    while members.next(scanner)?.is_some() {
        read(scanner)?;
        complete = Ok(());
    }
    complete
}
