use super::*;
use crate::{Basic, Builder, Message, message::Field};

fn parse(text: &str) -> Option<Rule> {
    text.parse().ok()
}

#[test]
fn rules_as_text() {
    for (text, canonical) in [
        ("", ""),
        ("type='signal'", "type='signal'"),
        ("type=signal", "type='signal'"),
        ("type='signal',", "type='signal'"),
        ("type='signal', member='A'", "type='signal',member='A'"),
        (" member='A',type='error'", "type='error',member='A'"),
        (
            "path='/a',path_namespace='/a'",
            "path='/a',path_namespace='/a'",
        ),
        (
            "destination=':1.1',sender='a.b',interface='c.d'",
            "sender='a.b',interface='c.d',destination=':1.1'",
        ),
        (
            "arg63='x',arg2has='v',arg0namespace='a.b',arg0path='/a/',arg0=''",
            "arg0='',arg0path='/a/',arg0namespace='a.b',arg2has='v',arg63='x'",
        ),
        ("arg0='a,b'", "arg0='a,b'"),
        ("arg0=", "arg0=''"),
        // The specification's own example of quoting.
        (
            r"arg0=''\''',arg1='\',arg2=',',arg3='\\'",
            r"arg0=''\''',arg1='\',arg2=',',arg3='\\'",
        ),
        (
            r"arg0=\',arg1=\,arg2=',',arg3=\\",
            r"arg0=''\''',arg1='\',arg2=',',arg3='\\'",
        ),
    ] {
        let rule = parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(rule.to_string(), canonical, "{text}");
        assert_eq!(parse(canonical).as_ref(), Some(&rule), "{text}");
    }
    for text in [
        "type ='signal'",
        "type='bad'",
        "type='signal',type='signal'",
        "eavesdrop='true'",
        "foo='x'",
        "arg64='x'",
        "arg00='x'",
        "arg01='x'",
        "arg256='x'",
        "arg='x'",
        "argpath='x'",
        "arg-1='x'",
        "arg+1='x'",
        "arg0foo='x'",
        "arg0='x',arg0='y'",
        "arg0='a'b'",
        "arg0='",
        "arg0",
        "=x",
        ",type='signal'",
        "type='signal',,member='A'",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

fn signal() -> Message {
    let mut builder = Builder::signal(b"/a/b", b"c.d", b"M").unwrap();
    builder.set(Field::Sender, b":1.7").unwrap();
    builder.append_basic(Basic::String(c"a.b.c")).unwrap();
    builder.append_basic(Basic::Uint32(1)).unwrap();
    builder.append_basic(Basic::ObjectPath(c"/aa/bb")).unwrap();
    builder.open_container(b'a', b"s").unwrap();
    builder.append_basic(Basic::String(c"one")).unwrap();
    builder.append_basic(Basic::String(c"two")).unwrap();
    builder.close_container().unwrap();
    builder.append_basic(Basic::String(c"/aa/")).unwrap();
    builder.seal(1).unwrap()
}

#[test]
fn what_a_rule_is_about() {
    let message = signal();
    let subject = Subject::new(&message);
    for (text, matches) in [
        ("", true),
        ("type='signal'", true),
        ("type='error'", false),
        ("sender=':1.7'", true),
        ("sender=':1.8'", false),
        ("sender='a.b'", true),
        ("sender='org.freedesktop.DBus'", false),
        ("interface='c.d',member='M',path='/a/b'", true),
        ("interface='c.e'", false),
        ("member='N'", false),
        ("path='/a'", false),
        ("path_namespace='/a'", true),
        ("path_namespace='/a/b'", true),
        ("path_namespace='/'", true),
        ("path_namespace='/a/bc'", false),
        ("destination=':1.1'", false),
        ("arg0='a.b.c'", true),
        ("arg0='a.b'", false),
        ("arg0namespace='a.b'", true),
        ("arg0namespace='a.b.c'", true),
        ("arg0namespace='a.b.c.d'", false),
        ("arg0namespace='a.'", false),
        ("arg1='1'", false),
        ("arg2='/aa/bb'", true),
        ("arg2path='/aa/bb'", true),
        ("arg2path='/aa/'", true),
        ("arg2path='/aa'", false),
        ("arg2path='/aa/bb/cc'", false),
        ("arg3has='two'", true),
        ("arg3has='three'", false),
        ("arg3='two'", false),
        ("arg4path='/aa/bb'", true),
        ("arg4path='/ab'", false),
        ("arg5=''", false),
        ("arg63='x'", false),
        ("type='signal',arg0='a.b.c',arg3has='one',arg4='/aa/'", true),
        ("type='signal',arg0='a.b.c',arg3has='one',arg4='/aa'", false),
    ] {
        assert_eq!(parse(text).unwrap().matches(&subject), matches, "{text}");
    }
}

#[test]
fn a_body_that_is_malformed_matches_up_to_there() {
    let message = signal();
    let mut bytes = [message.head(), message.body()].concat();
    // The NUL of the last text.
    *bytes.last_mut().unwrap() = 1;
    let message = Message::parse(bytes, 0).unwrap();
    let subject = Subject::new(&message);
    assert!(
        parse("arg0='a.b.c',arg3has='one'")
            .unwrap()
            .matches(&subject)
    );
    assert!(!parse("arg4='/aa/'").unwrap().matches(&subject));
}
