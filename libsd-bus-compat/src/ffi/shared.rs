//! What several own: [`std::sync::Arc`], whose count is not locked while the process has one thread, as most programs of sd-bus
//! have. A call from one process to another, and its answer, count fifty times. A value can be made at the place where it stays.

mod count;

use std::convert::Infallible;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop, MaybeUninit, offset_of};
use std::ops::Deref;
use std::ptr::{self, NonNull};

use count::Count;

#[derive(Debug)]
struct Counts {
    owners: Count,
    /// Who has a [`Weak`]; all owners are one more.
    others: Count,
}

impl Counts {
    const fn new(owners: usize) -> Self {
        Self {
            owners: Count::new(owners),
            others: Count::new(1),
        }
    }

    /// Those of a place.
    ///
    /// # Safety
    /// The place is there while the answer is used.
    #[inline]
    unsafe fn of<'a, T>(place: NonNull<Place<T>>) -> &'a Self {
        // SAFETY: they are the first in it, and the rest is not looked at: the value may be no more, or not yet.
        unsafe { place.cast::<Self>().as_ref() }
    }
}

/// A value with its counts, on the heap.
#[repr(C)]
struct Place<T> {
    counts: Counts,
    value: T,
}

impl<T> Place<T> {
    /// Where the value of a place is.
    #[inline]
    const fn value(place: NonNull<Self>) -> *mut T {
        let value = place.as_ptr().wrapping_byte_add(offset_of!(Self, value));
        value.cast()
    }

    /// The place of a value that has one; `None` of null.
    #[inline]
    fn of(value: *const T) -> Option<NonNull<Self>> {
        let place = value.wrapping_byte_sub(offset_of!(Self, value));
        NonNull::new(place.cast_mut().cast()).filter(|_| !value.is_null())
    }
}

/// An owner. To C it is a pointer to the value.
pub struct Shared<T> {
    place: NonNull<Place<T>>,
    owns: PhantomData<T>,
}

// SAFETY: as of `Arc`: others have references, and the last one drops the value.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The first owner.
    pub fn new(value: T) -> Self {
        Self::made(|| value)
    }

    /// The same of a value that is made where it stays: to move a large one takes longer than to make it.
    #[inline]
    pub fn made(make: impl FnOnce() -> T) -> Self {
        let Ok(this) = Self::filled(make, |_| Ok::<_, Infallible>(()));
        this
    }

    /// The same, of which `fill` does the rest.
    ///
    /// # Errors
    /// What `fill` has said.
    #[inline]
    pub fn filled<E>(
        make: impl FnOnce() -> T,
        fill: impl FnOnce(&mut T) -> Result<(), E>,
    ) -> Result<Self, E> {
        // In this order, or the value would be moved there.
        let place = Box::<Place<T>>::new_uninit();
        let counts = Counts::new(1);
        let value = make();
        let mut place = Box::write(place, Place { counts, value });
        fill(&mut place.value)?;
        Ok(Self::of(NonNull::from(Box::leak(place))))
    }

    /// One whose value keeps a [`Weak`] of itself, which leads to it once this has returned.
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Self {
        let place = Box::new(Place {
            counts: Counts::new(0),
            value: MaybeUninit::<T>::uninit(),
        });
        let place = NonNull::from(Box::leak(place)).cast::<Place<T>>();
        let own = Weak { place: Some(place) };
        let value = make(&own);
        // SAFETY: it is there, as `own` is, and nobody has looked at it, since there were no owners.
        unsafe { Place::value(place).write(value) };
        // What `own` is of the others is for the owners now.
        mem::forget(own);
        let this = Self::of(place);
        this.counts().owners.begin();
        this
    }

    const fn of(place: NonNull<Place<T>>) -> Self {
        let owns = PhantomData;
        Self { place, owns }
    }

    #[inline]
    fn counts(&self) -> &Counts {
        // SAFETY: the place is there as long as there is an owner.
        unsafe { Counts::of(self.place) }
    }

    /// What C knows it by.
    #[inline]
    pub fn as_ptr(this: &Self) -> *const T {
        Place::value(this.place)
    }

    /// Gives it to C, which gives it back by [`Shared::from_raw`].
    pub fn into_raw(this: Self) -> *const T {
        Self::as_ptr(&ManuallyDrop::new(this))
    }

    /// Takes it back.
    ///
    /// # Safety
    /// It was given by [`Shared::into_raw`], or counted by [`Shared::increment_strong_count`], and is given back once.
    pub unsafe fn from_raw(value: *const T) -> Self {
        // SAFETY: the caller's promise, so it is not null.
        Self::of(unsafe { Place::of(value).unwrap_unchecked() })
    }

    /// One owner more: C.
    ///
    /// # Safety
    /// It is [`Shared::as_ptr`] of an owner that is there.
    pub unsafe fn increment_strong_count(value: *const T) {
        // SAFETY: the caller's promise; this one is not given back here.
        let this = ManuallyDrop::new(unsafe { Self::from_raw(value) });
        this.counts().owners.add();
    }

    /// Who knows of it.
    pub fn downgrade(this: &Self) -> Weak<T> {
        this.counts().others.add();
        let place = Some(this.place);
        Weak { place }
    }

    /// Whether both own the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.place == other.place
    }

    #[cold]
    fn end(&mut self) {
        // What all owners are of the others goes behind the value, and if that panics, too.
        let _others = Weak {
            place: Some(self.place),
        };
        // SAFETY: this was the last owner, so nobody looks at the value, nor will.
        unsafe { Place::value(self.place).drop_in_place() };
    }
}

impl<T> Clone for Shared<T> {
    #[inline]
    fn clone(&self) -> Self {
        self.counts().owners.add();
        Self::of(self.place)
    }
}

impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        if self.counts().owners.take() {
            self.end();
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value is there as long as there is an owner, and owners only have references to it.
        unsafe { &*Place::value(self.place) }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Shared<T> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        T::fmt(self, to)
    }
}

/// Who knows of a value and does not keep it, as [`std::sync::Weak`].
pub struct Weak<T> {
    place: Option<NonNull<Place<T>>>,
}

// SAFETY: as of an owner, which it can become.
unsafe impl<T: Send + Sync> Send for Weak<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Weak<T> {}

impl<T> Weak<T> {
    /// Of nothing.
    pub const fn new() -> Self {
        Self { place: None }
    }

    fn counts(&self) -> Option<&Counts> {
        // SAFETY: the place is there as long as there is a `Weak`.
        self.place.map(|place| unsafe { Counts::of(place) })
    }

    /// An owner, if there is one.
    pub fn upgrade(&self) -> Option<Shared<T>> {
        let (place, counts) = (self.place?, self.counts()?);
        counts.owners.add_to_some().then(|| Shared::of(place))
    }

    /// Where the value is or was; null of nothing.
    pub fn as_ptr(&self) -> *const T {
        let value = self.place.map(Place::value);
        value.map_or(ptr::null(), |value| value.cast_const())
    }

    /// Gives it to C, which gives it back by [`Weak::from_raw`].
    pub fn into_raw(self) -> *const T {
        ManuallyDrop::new(self).as_ptr()
    }

    /// Takes it back.
    ///
    /// # Safety
    /// It was given by [`Weak::into_raw`], and is given back once.
    pub unsafe fn from_raw(value: *const T) -> Self {
        let place = Place::of(value);
        Self { place }
    }

    /// Whether both know of the same value.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Self {
        if let Some(counts) = self.counts() {
            counts.others.add();
        }
        Self { place: self.place }
    }
}

impl<T> Drop for Weak<T> {
    fn drop(&mut self) {
        let is_last = self.counts().is_some_and(|counts| counts.others.take());
        if let Some(place) = self.place.filter(|_| is_last) {
            // SAFETY: it is of `Box`, nobody knows of it any more, and the value was dropped or never there.
            drop(unsafe { Box::from_raw(place.cast::<Place<MaybeUninit<T>>>().as_ptr()) });
        }
    }
}

impl<T> std::fmt::Debug for Weak<T> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("(Weak)")
    }
}

#[cfg(test)]
mod tests;
