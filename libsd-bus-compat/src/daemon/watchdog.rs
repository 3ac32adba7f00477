//! How often a service must say that it lives.

use std::process;
use std::time::Duration;

use crate::number::{parse_pid, parse_u64};
use crate::{Errno, Result};

/// `$WATCHDOG_USEC`, if this is the process that `$WATCHDOG_PID` means.
///
/// # Errors
/// If one of them is no number, or one that can't be meant.
pub fn watchdog(microseconds: Option<&str>, pid: Option<&str>) -> Result<Option<Duration>> {
    let Some(microseconds) = microseconds else {
        return Ok(None);
    };
    let microseconds = parse_u64(microseconds)?;
    if microseconds == 0 || microseconds == u64::MAX {
        return Err(Errno::INVAL);
    }
    if let Some(pid) = pid
        && u32::try_from(parse_pid(pid)?) != Ok(process::id())
    {
        return Ok(None);
    }
    Ok(Some(Duration::from_micros(microseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_for_this_process() {
        let own = process::id().to_string();
        let second = Ok(Some(Duration::from_secs(1)));
        assert_eq!(watchdog(None, Some(&own)), Ok(None));
        assert_eq!(watchdog(Some("1000000"), Some(&own)), second);
        assert_eq!(watchdog(Some("1000000"), None), second);
        assert_eq!(watchdog(Some("1000000"), Some("1")), Ok(None));
        assert_eq!(watchdog(Some("0"), None), Err(Errno::INVAL));
        assert_eq!(watchdog(Some("1"), Some("x")), Err(Errno::INVAL));
        assert_eq!(watchdog(Some("1"), Some("0")), Err(Errno::RANGE));
    }
}
