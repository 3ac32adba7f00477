"""Types on an input context of fcitx5, as a program with its library does, and prints what comes back."""

from jeepney import DBusAddress, HeaderFields, MatchRule, message_bus, new_method_call
from jeepney.io.blocking import open_dbus_connection

bus = open_dbus_connection(bus="SESSION")
method = DBusAddress("/org/freedesktop/portal/inputmethod", "org.fcitx.Fcitx5", "org.fcitx.Fcitx.InputMethod1")


def call(address, member, types=None, *values):
    reply = bus.send_and_get_reply(new_method_call(address, member, types, values))
    print(member, reply.header.message_type.name, reply.body)
    return reply.body


path, uuid = bus.send_and_get_reply(new_method_call(method, "CreateInputContext", "a(ss)", ([("program", "test")],))).body
print(path, len(uuid))
context = DBusAddress(path, "org.fcitx.Fcitx5", "org.fcitx.Fcitx.InputContext1")
rule = MatchRule(type="signal", path=path)
bus.send_and_get_reply(message_bus.AddMatch(rule))
with bus.filter(rule) as heard:
    call(context, "SetCapability", "t", 1 << 10 | 2)
    call(context, "FocusIn")
    call(context, "SetSurroundingText", "suu", "text", 4, 4)
    call(context, "SetCursorRect", "iiii", 1, 2, 3, 4)
    for keysym in ord("a"), 0xFE50, ord("e"):  # a, a dead grave accent, e
        call(context, "ProcessKeyEvent", "uuubu", keysym, 38, 0, False, 0)
    call(context, "ProcessKeyEvent", "uuuiu", 1, 2, 3, 4, 5)
    call(context, "FocusOut")
    call(context, "DestroyIC")
    call(context, "FocusIn")
    for signal in heard:
        print(signal.header.fields[HeaderFields.member], signal.body)
