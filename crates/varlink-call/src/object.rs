//! Objects, arrays and scalars of an expected shape.

use unix_call::Fault;

use crate::scanner::{Scanner, Text, Token};

/// Reads the members of an object that are known by name, in whatever order they come, each at most
/// once; others are read over, as Varlink lets an interface grow.
pub struct Members<'n> {
    names: &'n [&'n [u8]],
    /// One bit for each name that has come.
    seen: u32,
}

impl<'n> Members<'n> {
    /// Opens the object that must come next; `names` are at most 32.
    ///
    /// # Errors
    /// [`Fault::Shape`] if no object comes next.
    pub fn open(scanner: &mut Scanner<'_, '_>, names: &'n [&'n [u8]]) -> Result<Self, Fault> {
        match scanner.token()? {
            Token::ObjectStart => Ok(Self { names, seen: 0 }),
            _ => Err(Fault::Shape),
        }
    }

    /// The next known member, as its place among the names: its value comes next. `None` is the end
    /// of the object.
    ///
    /// # Errors
    /// [`Fault::Shape`] if a known member comes a second time.
    pub fn next(&mut self, scanner: &mut Scanner<'_, '_>) -> Result<Option<usize>, Fault> {
        loop {
            let Token::Key(key) = scanner.token()? else {
                // Where a key may come there is no other token but the object's end.
                return Ok(None);
            };
            let Some(place) = self.names.iter().position(|&name| same(name, key)) else {
                scanner.skip()?;
                continue;
            };
            let bit = 1_u32.checked_shl(place as u32).ok_or(Fault::Shape)?;
            if self.seen & bit != 0 {
                return Err(Fault::Shape);
            }
            self.seen |= bit;
            return Ok(Some(place));
        }
    }
}

/// `==` on slices; written out as that calls libc's bcmp(3) for what is a handful of bytes.
fn same(name: &[u8], key: &[u8]) -> bool {
    name.len() == key.len() && name.iter().zip(key).all(|(a, b)| a == b)
}

impl Scanner<'_, '_> {
    /// Reads over the value that comes next.
    ///
    /// # Errors
    /// As [`Scanner::token`].
    pub fn skip(&mut self) -> Result<(), Fault> {
        let depth = self.depth();
        self.token()?;
        self.leave(depth)
    }

    /// Reads on until no more than `depth` objects and arrays are open.
    ///
    /// # Errors
    /// As [`Scanner::token`].
    pub fn leave(&mut self, depth: u32) -> Result<(), Fault> {
        while self.depth() > depth {
            self.token()?;
        }
        Ok(())
    }

    /// Opens the array that must come next.
    ///
    /// # Errors
    /// [`Fault::Shape`] if no array comes next.
    pub fn array(&mut self) -> Result<(), Fault> {
        match self.token()? {
            Token::ArrayStart => Ok(()),
            _ => Err(Fault::Shape),
        }
    }

    /// Whether the open array has a further element, which comes next; if not, it has been closed.
    ///
    /// # Errors
    /// As [`Scanner::token`].
    pub fn element(&mut self) -> Result<bool, Fault> {
        if self.array_ends()? {
            self.token()?;
            return Ok(false);
        }
        Ok(true)
    }

    /// The next string, whole.
    ///
    /// # Errors
    /// [`Fault::Shape`] if no string comes next, or one longer than [`Scanner::TEXT`].
    pub fn string(&mut self) -> Result<&[u8], Fault> {
        match self.token()? {
            Token::String(Text { bytes, whole: true }) => Ok(bytes),
            _ => Err(Fault::Shape),
        }
    }

    /// The next integer, or `None` for `null`.
    ///
    /// # Errors
    /// [`Fault::Shape`] if neither comes next, or one that does not fit a `T`.
    pub fn optional_integer<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Fault> {
        match self.token()? {
            Token::Integer(value) => T::try_from(value).map(Some).map_err(|_| Fault::Shape),
            Token::Null => Ok(None),
            _ => Err(Fault::Shape),
        }
    }

    /// The next integer.
    ///
    /// # Errors
    /// [`Fault::Shape`] if none comes next, or one that does not fit a `T`.
    pub fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, Fault> {
        self.optional_integer()?.ok_or(Fault::Shape)
    }
}
