//! SubscribeQueryResults: every lookup as it ends.

use std::rc::Rc;

use hickory_proto::op::ResponseCode;
use serde::Serialize;
use varlink_serve::{Answer, Call};

use super::{error::number, record::Record, wire::Key};
use crate::{
    failure::Failure,
    manager::{Ended, Manager},
    message::{ExtendedError, Found},
};

/// errno(3): what stands for failures that have no word of their own.
const ELOOP: i32 = 40;
const EIO: i32 = 5;

/// A lookup that ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryResult {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rcode: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<i32>,
    #[serde(
        rename = "extendedDNSErrorCode",
        skip_serializing_if = "Option::is_none"
    )]
    extended_error_code: Option<u16>,
    #[serde(
        rename = "extendedDNSErrorMessage",
        skip_serializing_if = "Option::is_none"
    )]
    extended_error_message: Option<String>,
    question: Vec<Key>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    collected_questions: Vec<Key>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answer: Vec<Record>,
}

/// Tells of every lookup from now on. Whether the caller may is the caller's business.
pub(super) async fn follow(
    manager: &Rc<Manager>,
    mut call: Call<'_>,
) -> Result<Answer, varlink_serve::Failure> {
    #[derive(Serialize)]
    struct Ready {
        ready: bool,
    }
    let mut ended = manager.observed.subscribe();
    // The stub's copies answer unseen.
    manager.cache.new_generation();
    call.update(&Ready { ready: true }).await?;
    loop {
        let one = tokio::select! {
            one = ended.recv() => one,
            gone = call.closed() => return Err(gone),
        };
        match one {
            Some(one) => call.update(&QueryResult::of(&one)).await?,
            None => return call.done().await,
        }
    }
}

impl QueryResult {
    fn of(ended: &Ended) -> Self {
        let mut result = match &ended.result {
            Ok(answer) if answer.rcode == ResponseCode::NoError => Self::in_state("success"),
            Ok(answer) => Self::with_rcode(answer.rcode),
            Err(failure) => Self::failed(failure),
        };
        if let Ok(answer) = &ended.result {
            result.remark(answer.extended_error.as_ref());
            // Of the authorities no link is told.
            let authorities = answer.authorities.iter().map(|record| Found {
                ifindex: 0,
                record: record.clone(),
            });
            let all = answer.records.iter().cloned().chain(authorities);
            result.answer = all.filter_map(|found| Record::of(&found)).collect();
        }
        result.question = ended.questions.iter().map(Key::from).collect();
        result.collected_questions = ended.collected.iter().map(Key::from).collect();
        result
    }

    fn in_state(state: &'static str) -> Self {
        Self {
            state,
            result: None,
            rcode: None,
            errno: None,
            extended_error_code: None,
            extended_error_message: None,
            question: Vec::new(),
            collected_questions: Vec::new(),
            answer: Vec::new(),
        }
    }

    fn with_rcode(rcode: ResponseCode) -> Self {
        Self {
            rcode: Some(number(rcode)),
            ..Self::in_state("rcode-failure")
        }
    }

    fn with_errno(errno: i32) -> Self {
        Self {
            errno: Some(errno),
            ..Self::in_state("errno")
        }
    }

    fn failed(failure: &Failure) -> Self {
        let word = match failure {
            Failure::NoNameServers => "no-servers",
            Failure::NoSuchRecord => "not-found",
            Failure::TimedOut => "timeout",
            Failure::MaxAttempts => "attempts-max-reached",
            Failure::InvalidReply => "invalid-reply",
            Failure::Aborted => "aborted",
            Failure::NoTrustAnchor => "no-trust-anchor",
            Failure::RecordTypeUnsupported => "rr-type-unsupported",
            Failure::NetworkDown => "network-down",
            Failure::NoSource => "no-source",
            Failure::StubLoop => "stub-loop",
            Failure::DnssecFailed(fault, extended) => {
                let mut result = Self {
                    result: Some(fault.as_str()),
                    ..Self::in_state("dnssec-failed")
                };
                result.remark(extended.as_ref());
                return result;
            }
            Failure::Rcode(rcode, extended) => {
                let mut result = Self::with_rcode(*rcode);
                result.remark(extended.as_ref());
                return result;
            }
            Failure::Refused => return Self::with_rcode(ResponseCode::Refused),
            Failure::CnameLoop => return Self::with_errno(ELOOP),
            Failure::System(_, errno) => return Self::with_errno(*errno),
            _ => return Self::with_errno(EIO),
        };
        Self::in_state(word)
    }

    fn remark(&mut self, extended: Option<&ExtendedError>) {
        self.extended_error_code = extended.map(|extended| extended.code);
        self.extended_error_message = extended
            .map(|extended| extended.text.clone())
            .filter(|text| !text.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::RecordType;
    use serde_json::json;

    use super::*;
    use crate::{
        failure::DnssecFault,
        message::{Answer, Question},
        name,
    };

    fn told(result: Result<Answer, Failure>) -> serde_json::Value {
        let question = Question::new(name::parse("a.example").unwrap(), RecordType::A);
        let ended = Ended {
            questions: vec![question],
            collected: Vec::new(),
            result,
        };
        serde_json::to_value(QueryResult::of(&ended)).unwrap()
    }

    #[test]
    fn results_in_systemds_words() {
        let question = json!([{ "class": 1, "type": 1, "name": "a.example" }]);
        let name = name::parse("a.example").unwrap();
        assert_eq!(
            told(Ok(Answer::made_here(name.clone(), Vec::new()))),
            json!({ "state": "success", "question": question })
        );
        assert_eq!(
            told(Ok(Answer::no_such_name(name))),
            json!({ "state": "rcode-failure", "rcode": 3, "question": question })
        );
        assert_eq!(
            told(Err(Failure::NoNameServers)),
            json!({ "state": "no-servers", "question": question })
        );
        assert_eq!(
            told(Err(Failure::CnameLoop)),
            json!({ "state": "errno", "errno": 40, "question": question })
        );
        let extended = ExtendedError {
            code: 7,
            text: "late".to_owned(),
        };
        assert_eq!(
            told(Err(Failure::DnssecFailed(
                DnssecFault::SignatureExpired,
                Some(extended)
            ))),
            json!({
                "state": "dnssec-failed", "result": "signature-expired", "question": question,
                "extendedDNSErrorCode": 7, "extendedDNSErrorMessage": "late",
            })
        );
    }
}
