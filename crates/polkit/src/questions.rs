//! How many questions may be open.

use std::{cell::RefCell, collections::BTreeMap};

use crate::Refusal;

/// How many of a user's calls may wait for polkit, and so for a person, at once. Calls that wait are what is limited for all
/// users together, and waiting for minutes costs a user nothing.
const MOST_QUESTIONS: usize = 16;

/// The questions that are open, counted by user.
#[derive(Debug, Default)]
pub(crate) struct Questions(RefCell<BTreeMap<u32, usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Open<'q> {
    questions: &'q Questions,
    uid: u32,
}

impl Questions {
    pub(crate) fn enter(&self, uid: u32) -> Result<Open<'_>, Refusal> {
        let mut open = self.0.borrow_mut();
        let own = open.entry(uid).or_default();
        if *own >= MOST_QUESTIONS {
            return Err(Refusal::TooManyQuestions(uid));
        }
        *own += 1;
        Ok(Open {
            questions: self,
            uid,
        })
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut open = self.questions.0.borrow_mut();
        let left = open.remove(&self.uid).unwrap_or(1) - 1;
        if left > 0 {
            open.insert(self.uid, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_QUESTIONS, Questions};
    use crate::Refusal;

    #[test]
    fn one_user_waits_in_few_places() {
        let questions = Questions::default();
        let mut open: Vec<_> = (0..MOST_QUESTIONS)
            .map(|_| questions.enter(1000).unwrap())
            .collect();
        let refused = questions.enter(1000).unwrap_err();
        assert_eq!(refused, Refusal::TooManyQuestions(1000));
        drop(questions.enter(1001).unwrap());
        open.pop();
        open.push(questions.enter(1000).unwrap());
        drop(open);
        assert!(questions.0.borrow().is_empty());
    }
}
