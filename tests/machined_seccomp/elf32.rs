//! A program of 32 bits, made by hand: no compiler here need be able to.

const BASE: u32 = 0x0804_8000;
/// The file's header and its one program header, elf(5).
const HEADERS: u32 = 52 + 32;

/// A static program for i386 that says `text`, then as one digit what errno the system call `number` gives it.
pub fn program(text: &str, number: u32) -> Vec<u8> {
    let mut code = Vec::new();
    // The text stands behind the code, whose length does not depend on where.
    for at in [0, 0] {
        let text_at = BASE + HEADERS + u32::try_from(code.len()).unwrap() + at;
        let digit_at = text_at + length(text);
        code.clear();
        write(&mut code, text_at, length(text));
        set(&mut code, EAX, number);
        call(&mut code);
        code.extend([0xf7, 0xd8]); // neg eax
        code.extend([0x04, b'0']); // add al, '0'
        code.push(0xa2); // mov [digit_at], al
        code.extend(digit_at.to_le_bytes());
        write(&mut code, digit_at, 2);
        set(&mut code, EAX, 1); // exit
        set(&mut code, EBX, 0);
        call(&mut code);
    }
    code.extend(text.bytes());
    code.extend(*b"?\n");
    let mut file = headers(length(&code) + HEADERS);
    file.extend(code);
    file
}

const EAX: u8 = 0;
const ECX: u8 = 1;
const EDX: u8 = 2;
const EBX: u8 = 3;

fn set(code: &mut Vec<u8>, register: u8, value: u32) {
    code.push(0xb8 + register);
    code.extend(value.to_le_bytes());
}

fn call(code: &mut Vec<u8>) {
    code.extend([0xcd, 0x80]); // int 0x80
}

fn write(code: &mut Vec<u8>, at: u32, length: u32) {
    set(code, EAX, 4); // write
    set(code, EBX, 1);
    set(code, ECX, at);
    set(code, EDX, length);
    call(code);
}

fn length(of: impl AsRef<[u8]>) -> u32 {
    of.as_ref().len().try_into().unwrap()
}

fn headers(size: u32) -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    let halves = |file: &mut Vec<u8>, values: &[u16]| {
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    let words = |file: &mut Vec<u8>, values: &[u32]| {
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    halves(&mut file, &[2, 3]); // an executable, for i386
    words(&mut file, &[1, BASE + HEADERS, 52, 0, 0]);
    halves(&mut file, &[52, 32, 1, 0, 0, 0]);
    // All of it in one segment, to be read, written and executed.
    words(&mut file, &[1, 0, BASE, BASE, size, size, 7, 0x1000]);
    file
}
