//! Owners, and who knows of them.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

/// Counts how often it is dropped.
struct Told<'a>(&'a AtomicUsize);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_last_owner_drops_the_value() {
    let dropped = AtomicUsize::new(0);
    let first = Shared::new(Told(&dropped));
    let (second, weak) = (first.clone(), Shared::downgrade(&first));
    let third = weak.upgrade().unwrap();
    assert!(Shared::ptr_eq(&first, &third) && weak.ptr_eq(&Shared::downgrade(&second)));
    drop((first, second));
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    drop(third);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert!(weak.upgrade().is_none() && weak.clone().upgrade().is_none());
    assert!(Weak::<u8>::new().upgrade().is_none() && Weak::<u8>::new().as_ptr().is_null());
}

#[test]
fn c_owns_as_well() {
    let dropped = AtomicUsize::new(0);
    let value = Shared::into_raw(Shared::new(Told(&dropped)));
    // SAFETY: it was given just now.
    unsafe { Shared::increment_strong_count(value) };
    // SAFETY: it is given back for that.
    let other = unsafe { Shared::from_raw(value) };
    let known = Shared::downgrade(&other).into_raw();
    assert_eq!(known, value);
    drop(other);
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    // SAFETY: it was given first.
    drop(unsafe { Shared::from_raw(value) });
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    // SAFETY: it was given just now.
    assert!(unsafe { Weak::from_raw(known) }.upgrade().is_none());
}

#[test]
fn a_value_may_know_itself() {
    struct Own(Weak<Own>, u64);
    let own = Shared::new_cyclic(|own| {
        assert!(own.upgrade().is_none());
        Own(own.clone(), 7)
    });
    assert_eq!(own.0.upgrade().unwrap().1, 7);
    assert_eq!(own.0.as_ptr(), Shared::as_ptr(&own));
}

#[test]
fn what_is_not_filled_goes() {
    let dropped = AtomicUsize::new(0);
    let failed = Shared::filled(|| Told(&dropped), |_| Err(()));
    assert!(failed.is_err());
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    let fill = |value: &mut u8| {
        *value += 1;
        Ok::<_, ()>(())
    };
    assert_eq!(*Shared::filled(|| 1, fill).unwrap(), 2);
}

#[test]
fn large_alignments_are_kept() {
    #[repr(align(64))]
    struct Large(u8);
    let value = Shared::into_raw(Shared::new(Large(3)));
    assert_eq!(value.addr() % 64, 0);
    // SAFETY: it was given just now.
    assert_eq!(unsafe { Shared::from_raw(value) }.0, 3);
}

#[test]
fn threads_count_together() {
    let dropped = AtomicUsize::new(0);
    let all = Barrier::new(4);
    for _ in 0..100 {
        let before = dropped.load(Ordering::SeqCst);
        let owner = Shared::new(Told(&dropped));
        thread::scope(|threads| {
            for _ in 0..3 {
                let (own, all) = (owner.clone(), &all);
                threads.spawn(move || {
                    all.wait();
                    let weak = Shared::downgrade(&own);
                    for _ in 0..50 {
                        drop((own.clone(), weak.upgrade().unwrap()));
                    }
                    drop(own);
                    drop(weak.upgrade());
                });
            }
            all.wait();
            drop(owner);
        });
        assert_eq!(dropped.load(Ordering::SeqCst), before + 1);
    }
}
