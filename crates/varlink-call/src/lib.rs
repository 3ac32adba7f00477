//! One blocking Varlink call with a deadline, without allocation or panic
