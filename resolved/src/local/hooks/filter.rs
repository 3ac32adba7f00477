//! Which names a hook wants to be asked for.

use std::collections::HashSet;

use hickory_proto::rr::Name;
use serde::Deserialize;

use crate::name;

/// QueryFilter's reply.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply {
    filter_domains: Option<Vec<String>>,
    filter_labels_min: Option<u64>,
    filter_labels_max: Option<u64>,
}

/// Which names a hook wants to be asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Filter {
    /// These and all below them; `None`: all.
    domains: Option<HashSet<Name>>,
    /// With so many labels.
    labels_min: u64,
    labels_max: u64,
}

impl From<Reply> for Filter {
    fn from(reply: Reply) -> Self {
        let parse = |domains: Vec<String>| {
            domains
                .iter()
                .filter_map(|domain| name::parse(domain).ok())
                .collect()
        };
        Self {
            domains: reply.filter_domains.map(parse),
            labels_min: reply.filter_labels_min.unwrap_or(0),
            labels_max: reply.filter_labels_max.unwrap_or(u64::MAX),
        }
    }
}

impl Filter {
    /// Whether a name is wanted.
    pub fn wants(&self, name: &Name) -> bool {
        let mut labels = name.iter().count() as u64;
        if !(self.labels_min..=self.labels_max).contains(&labels) {
            return false;
        }
        let Some(domains) = &self.domains else {
            return true;
        };
        if domains.is_empty() {
            return false;
        }
        let mut parent = name.clone();
        while !domains.contains(&parent) {
            if labels == 0 {
                return false;
            }
            labels -= 1;
            parent = parent.base_name();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(filter: &str, name: &str) -> bool {
        let reply: Reply = serde_json::from_str(filter).unwrap();
        Filter::from(reply).wants(&name::parse(name).unwrap())
    }

    #[test]
    fn domains() {
        assert!(wants("{}", "any.name") && wants("{}", "."));
        assert!(!wants(r#"{"filterDomains":[]}"#, "any.name"));
        let web = r#"{"filterDomains":["Web","example.com."]}"#;
        for name in ["web", "WEB", "a.web", "a.b.example.com"] {
            assert!(wants(web, name), "{name}");
        }
        for name in ["webb", "com", "web.com", ".", "notexample.com"] {
            assert!(!wants(web, name), "{name}");
        }
        assert!(wants(r#"{"filterDomains":["."]}"#, "any.name"));
        assert!(!wants(r#"{"filterDomains":["a..b"]}"#, "b"));
    }

    #[test]
    fn labels() {
        let single = r#"{"filterLabelsMin":1,"filterLabelsMax":1}"#;
        assert!(wants(single, "web") && !wants(single, "a.web") && !wants(single, "."));
        assert!(wants(r#"{"filterLabelsMin":2,"unknown":7}"#, "a.b"));
    }
}
