//! Random operations, on the cache and on a table that does the same in the plainest way.

use std::collections::HashMap;

use super::*;

/// A generator of numbers that is the same every time (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Of each scope and name: the last byte of its address, until when; and until when it does not exist.
#[derive(Default)]
struct Model {
    addresses: HashMap<(u32, u64), (u8, Duration)>,
    absent: HashMap<(u32, u64), Duration>,
}

#[test]
fn it_does_what_the_plainest_table_does() {
    let cache = Cache::new(16 << 20);
    let mut model = Model::default();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut now = at(0);
    for _ in 0..100_000 {
        now += Duration::from_millis(numbers.below(300));
        let scope = numbers.below(3) as u32;
        let number = numbers.below(40);
        let (id, place) = (ScopeId::Link(scope), (scope, number));
        let text = format!("n{number}.test");
        let asked = question(&text, RecordType::A);
        let ttl = numbers.below(30) as u32;
        let until = now + Duration::from_secs(u64::from(ttl));
        match numbers.below(100) {
            0..20 => {
                let last = numbers.below(256) as u8;
                cache.put(
                    id,
                    &asked,
                    &positive(vec![a(&text, ttl, last)]),
                    POLICY,
                    now,
                );
                model.absent.remove(&place);
                model.addresses.insert(place, (last, until));
            }
            20..30 => {
                let said = response(ResponseCode::NXDomain, vec![], vec![soa("test", ttl, 900)]);
                cache.put(id, &asked, &said, POLICY, now);
                model.addresses.remove(&place);
                model.absent.insert(place, until);
            }
            30 => {
                cache.flush_name(&named(&text));
                model.addresses.retain(|place, _| place.1 != number);
                model.absent.retain(|place, _| place.1 != number);
            }
            31 => {
                cache.flush_scope(id);
                model.addresses.retain(|place, _| place.0 != scope);
                model.absent.retain(|place, _| place.0 != scope);
            }
            _ => {
                let found = cache
                    .get(id, &asked, PLAIN, now)
                    .map(|hit| hit.outcome.unwrap());
                let said = found.map(|response| (response.rcode, response.answers));
                let absent = model.absent.get(&place).filter(|until| **until > now);
                let address = model
                    .addresses
                    .get(&place)
                    .filter(|(_, until)| *until > now);
                let expected = match (absent, address) {
                    (Some(_), _) => Some((ResponseCode::NXDomain, vec![])),
                    (None, Some((last, until))) => {
                        let left = (*until - now).as_secs() as u32;
                        Some((ResponseCode::NoError, vec![a(&text, left, *last)]))
                    }
                    _ => None,
                };
                assert_eq!(said, expected);
            }
        }
    }
}
