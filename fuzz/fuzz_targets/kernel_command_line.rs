#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::kernel_command_line(bytes));
