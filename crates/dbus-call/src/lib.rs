//! One blocking D-Bus method call with a deadline, without allocation or panic
