"""What round_trip.c is in C, by a library that is Python's own: peer.py gio|dbus_next|jeepney serve|call [NAME]."""

import collections
import os
import struct
import sys

INTERFACE, PATH, NAME = "org.example.Peer", "/o", "org.example.Python"
Variant = collections.namedtuple("Variant", "types value")
File = collections.namedtuple("File", "content")

SETS = {
    0: [
        ("y", 255), ("b", True), ("n", -(2**15)), ("q", 2**16 - 1), ("i", -(2**31)), ("u", 2**32 - 1), ("x", -(2**63)),
        ("t", 2**64 - 1), ("d", sys.float_info.max), ("s", "ä€😀 'x'"), ("o", "/a/b_1"), ("g", "a{sa(iv)}"),
        ("v", Variant("s", "in a variant")), ("ay", b"\0\1\xff"), ("ai", [-1, 1]), ("as", ["", "two"]), ("a(si)", [("a", 1), ("b", 2)]),
        ("a{sv}", {"k": Variant("i", 7), "l": Variant("as", ["x"])}), ("(yx(sd)as)", (1, -2, ("in", 0.5), ["z"])), ("aas", [["p"], []]),
        ("a{sa{sv}}", {"dev": {"prop": Variant("v", Variant("u", 5))}}), ("av", [Variant("y", 3), Variant("(ss)", ("q", "r"))]),
        ("a(tt)", []), ("ad", [-2.25]),
    ],
    1: [
        ("h", File("one")), ("ah", [File("two"), File("one")]), ("v", Variant("h", File("three"))), ("(sh)", ("four", File("two"))),
    ],
}


def split(types):
    """The single complete types of a signature."""
    while types:
        end, depth = 0, 0
        while True:
            depth += (types[end] in "({") - (types[end] in ")}")
            end += 1
            if depth == 0 and types[end - 1] != "a":
                break
        yield types[:end]
        types = types[end:]


def tell(kind, value, files):
    """A value in its type; `files` gives the descriptor of what stands for one."""
    code = kind[0]
    if kind == "ay":
        value = list(value)
    if code == "v":
        return f"v<{value.types}>({tell(value.types, value.value, files)})"
    if code == "(":
        return "(" + " ".join(tell(k, v, files) for k, v in zip(split(kind[1:-1]), value, strict=True)) + ")"
    if kind.startswith("a{"):
        key, item = split(kind[2:-1])
        return kind + "[" + " ".join("{" + tell(key, k, files) + " " + tell(item, v, files) + "}" for k, v in value.items()) + "]"
    if code == "a":
        return kind + "[" + " ".join(tell(kind[1:], v, files) for v in value) + "]"
    if code == "d":
        value = struct.pack(">d", value).hex()
    elif code == "b":
        value = int(value)
    elif code == "h":
        value = os.pread(files(value), 64, 0).decode()
    return f"{code}:{value}"


def told(types, values, files):
    return types + " " + " ".join(tell(k, v, files) for k, v in zip(split(types), values, strict=True))


def convert(kind, value, variant, file):
    """A value of SETS as a library has it."""
    code = kind[0]
    if code == "v":
        return variant(value.types, convert(value.types, value.value, variant, file))
    if code == "(":
        return [convert(k, v, variant, file) for k, v in zip(split(kind[1:-1]), value)]
    if kind.startswith("a{"):
        _, item = split(kind[2:-1])
        return {k: convert(item, v, variant, file) for k, v in value.items()}
    if code == "a" and kind != "ay":
        return [convert(kind[1:], v, variant, file) for v in value]
    return file(value.content) if code == "h" else value


def made(number, variant, file):
    types = "".join(kind for kind, _ in SETS[number])
    return types, [convert(kind, value, variant, file) for kind, value in SETS[number]]


def memfd(content):
    fd = os.memfd_create("round-trip")
    os.write(fd, content.encode())
    return fd


class Failed(Exception):
    pass


def answer(peer, member, types, values, files):
    """The types, values and descriptors that answer a call of ours."""
    if member == "Give":
        return peer.made(values[0])
    if member == "Take":
        return "s", [told(types, peer.plain(types, values), files)], []
    if member == "Echo":
        return peer.again(types, values, files)
    if member == "Shout":
        peer.shout(*peer.made(values[0]))
    if member == "Fail":
        raise Failed
    return "", [], []


class DbusNext:
    """Asynchronous; a descriptor is the index into the list beside the message."""

    def made(self, number):
        from dbus_next import Variant as variant

        fds = []
        types, values = made(number, variant, lambda content: fds.append(memfd(content)) or len(fds) - 1)
        return types, values, fds

    def plain(self, types, values):
        def one(kind, value):
            if kind == "v":
                return Variant(value.signature, one(value.signature, value.value))
            if kind[0] == "(":
                return [one(k, v) for k, v in zip(split(kind[1:-1]), value)]
            if kind.startswith("a{"):
                return {k: one(list(split(kind[2:-1]))[1], v) for k, v in value.items()}
            return [one(kind[1:], v) for v in value] if kind[0] == "a" and kind != "ay" else value

        return [one(k, v) for k, v in zip(split(types), values)]

    def again(self, types, values, files):
        return types, values, self.fds

    def shout(self, types, values, fds):
        from dbus_next import Message

        self.bus.send(Message.new_signal(PATH, INTERFACE, "Shouted", types, values, fds))

    async def main(self, serve, name):
        import asyncio

        from dbus_next import BusType, Message, MessageType
        from dbus_next.aio import MessageBus

        self.bus = bus = await MessageBus(bus_type=BusType.SESSION, negotiate_unix_fd=True).connect()
        ended, heard = asyncio.get_running_loop().create_future(), asyncio.Queue()

        def on(message):
            text = lambda: told(message.signature, self.plain(message.signature, message.body), message.unix_fds.__getitem__)
            if message.message_type == MessageType.SIGNAL and message.member == "Shouted" and not serve:
                heard.put_nowait("signal " + text())
            if message.message_type != MessageType.METHOD_CALL or message.interface != INTERFACE or not serve:
                return None
            self.fds = message.unix_fds
            try:
                types, values, fds = answer(self, message.member, message.signature, message.body, message.unix_fds.__getitem__)
            except Failed:
                return Message.new_error(message, "org.example.Failed", "as told")
            if message.member == "Quit":
                ended.set_result(None)
            return Message.new_method_return(message, types, values, fds)

        bus.add_message_handler(on)

        async def call(member, types="", values=(), fds=(), name=name, interface=INTERFACE, path=PATH):
            return await bus.call(
                Message(
                    destination=name, path=path, interface=interface, member=member, signature=types, body=list(values), unix_fds=list(fds)
                )
            )

        if serve:
            await bus.request_name(NAME)
            await ended
            await call("GetId", name="org.freedesktop.DBus", interface="org.freedesktop.DBus", path="/org/freedesktop/DBus")
            return
        rule = f"type='signal',interface='{INTERFACE}'"
        await call("AddMatch", "s", [rule], name="org.freedesktop.DBus", interface="org.freedesktop.DBus", path="/org/freedesktop/DBus")
        for number in SETS:
            for member in ("Give", "Echo", "Take"):
                arguments = ("u", [number]) if member == "Give" else self.made(number)
                reply = await call(member, *arguments)
                print(member, told(reply.signature, self.plain(reply.signature, reply.body), reply.unix_fds.__getitem__))
            await call("Shout", "u", [number])
            print(await heard.get())
        reply = await call("Fail")
        print("Fail", reply.error_name, reply.body[0])

    def run(self, serve, name):
        import asyncio

        asyncio.run(self.main(serve, name))


class Jeepney:
    """Blocking; a descriptor is an object, and a variant is a tuple."""

    def made(self, number):
        types, values = made(number, lambda types, value: (types, value), memfd)
        return types, self.tuples(types, values), []

    def tuples(self, types, values):
        def one(kind, value):
            if kind == "v":
                return value[0], one(value[0], value[1])
            if kind[0] == "(":
                return tuple(one(k, v) for k, v in zip(split(kind[1:-1]), value))
            if kind.startswith("a{"):
                return {k: one(list(split(kind[2:-1]))[1], v) for k, v in value.items()}
            return [one(kind[1:], v) for v in value] if kind[0] == "a" and kind != "ay" else value

        return tuple(one(k, v) for k, v in zip(split(types), values))

    def plain(self, types, values):
        def one(kind, value):
            if kind == "v":
                return Variant(value[0], one(*value))
            if kind[0] == "(":
                return [one(k, v) for k, v in zip(split(kind[1:-1]), value)]
            if kind.startswith("a{"):
                return {k: one(list(split(kind[2:-1]))[1], v) for k, v in value.items()}
            return [one(kind[1:], v) for v in value] if kind[0] == "a" and kind != "ay" else value

        return [one(k, v) for k, v in zip(split(types), values)]

    def again(self, types, values, files):
        return types, values, []

    def shout(self, types, values, _):
        from jeepney import DBusAddress, new_signal

        self.bus.send(new_signal(DBusAddress(PATH, interface=INTERFACE), "Shouted", types, values))

    def run(self, serve, name):
        from jeepney import DBusAddress, HeaderFields, MatchRule, MessageType, message_bus, new_error, new_method_call, new_method_return
        from jeepney.io.blocking import open_dbus_connection

        self.bus = bus = open_dbus_connection(bus="SESSION", enable_fds=True)
        field = lambda message, name: message.header.fields.get(getattr(HeaderFields, name))
        types = lambda message: field(message, "signature") or ""
        files = lambda fd: fd.fileno()
        text = lambda message: told(types(message), self.plain(types(message), message.body), files)
        if serve:
            bus.send_and_get_reply(message_bus.RequestName(NAME))
            while True:
                call = bus.receive()
                if call.header.message_type != MessageType.method_call or field(call, "interface") != INTERFACE:
                    continue
                try:
                    kinds, values, _ = answer(self, field(call, "member"), types(call), call.body, files)
                    bus.send(new_method_return(call, kinds or None, tuple(values)))
                except Failed:
                    bus.send(new_error(call, "org.example.Failed", "s", ("as told",)))
                if field(call, "member") == "Quit":
                    return
        rule = MatchRule(type="signal", interface=INTERFACE)
        bus.send_and_get_reply(message_bus.AddMatch(rule))
        address = DBusAddress(PATH, bus_name=name, interface=INTERFACE)
        with bus.filter(rule) as heard:
            for number in SETS:
                for member in ("Give", "Echo", "Take"):
                    kinds, values = ("u", (number,)) if member == "Give" else self.made(number)[:2]
                    print(member, text(bus.send_and_get_reply(new_method_call(address, member, kinds, values))))
                bus.send_and_get_reply(new_method_call(address, "Shout", "u", (number,)))
                print("signal", text(bus.recv_until_filtered(heard)))
        reply = bus.send_and_get_reply(new_method_call(address, "Fail"))
        print("Fail", field(reply, "error_name"), reply.body[0])


class Gio:
    """GLib's, which gdbus is made of."""

    def made(self, number):
        from gi.repository import GLib

        fds = []
        types, values = made(number, GLib.Variant, lambda content: fds.append(memfd(content)) or len(fds) - 1)
        return types, self.tuples(types, values), fds

    def tuples(self, types, values):
        def one(kind, value):
            if kind[0] == "(":
                return tuple(one(k, v) for k, v in zip(split(kind[1:-1]), value))
            return [one(kind[1:], v) for v in value] if kind[0] == "a" and kind[1] not in "y{" else value

        return [one(k, v) for k, v in zip(split(types), values)]

    def plain(self, types, values):
        def one(value):
            kind = value.get_type_string()
            if kind == "v":
                inner = value.get_variant()
                return Variant(inner.get_type_string(), one(inner))
            if kind.startswith("a{"):
                entries = (value.get_child_value(i) for i in range(value.n_children()))
                return {entry.get_child_value(0).unpack(): one(entry.get_child_value(1)) for entry in entries}
            if kind[0] in "(a":
                return [one(value.get_child_value(i)) for i in range(value.n_children())]
            return value.get_handle() if kind == "h" else value.unpack()

        return [one(value) for value in values]

    @staticmethod
    def parts(body):
        return [body.get_child_value(i) for i in range(body.n_children())] if body else []

    def again(self, types, values, files):
        return types, values, self.fds

    def message(self, message, types, values, fds):
        from gi.repository import Gio, GLib

        if types:
            body = GLib.Variant.new_tuple(*values) if values and isinstance(values[0], GLib.Variant) else GLib.Variant(f"({types})", values)
            message.set_body(body)
        if fds:
            message.set_unix_fd_list(Gio.UnixFDList.new_from_array(fds))
        return message

    def shout(self, types, values, fds):
        from gi.repository import Gio

        signal = Gio.DBusMessage.new_signal(PATH, INTERFACE, "Shouted")
        self.bus.send_message(self.message(signal, types, values, fds), Gio.DBusSendMessageFlags.NONE)

    def run(self, serve, name):
        from gi.repository import Gio, GLib

        loop, heard = GLib.MainLoop(), []
        self.bus = bus = Gio.bus_get_sync(Gio.BusType.SESSION)

        def text(message):
            fds = message.get_unix_fd_list().peek_fds() if message.get_unix_fd_list() else []
            types = message.get_signature()
            return told(types, self.plain(types, self.parts(message.get_body())), fds.__getitem__)

        def on(bus, message, incoming):
            """In a thread of GLib's: calls are answered by the loop."""
            if incoming and message.get_interface() == INTERFACE:
                kind = message.get_message_type()
                if kind == Gio.DBusMessageType.METHOD_CALL and serve:
                    GLib.idle_add(reply_to, message)
                    return None
                if kind == Gio.DBusMessageType.SIGNAL and not serve:
                    heard.append("signal " + text(message))
            return message

        def reply_to(call):
            values = self.parts(call.get_body())
            fds = call.get_unix_fd_list().peek_fds() if call.get_unix_fd_list() else []
            self.fds = [os.dup(fd) for fd in fds]
            first = [values[0].unpack()] if call.get_member() in ("Give", "Shout") else values
            try:
                types, values, fds = answer(self, call.get_member(), call.get_signature(), first, fds.__getitem__)
                reply = self.message(Gio.DBusMessage.new_method_reply(call), types, values, fds)
            except Failed:
                reply = Gio.DBusMessage.new_method_error_literal(call, "org.example.Failed", "as told")
            bus.send_message(reply, Gio.DBusSendMessageFlags.NONE)
            if call.get_member() == "Quit":
                bus.flush_sync()
                loop.quit()

        bus.add_filter(on)

        def call(member, types="", values=(), fds=()):
            message = self.message(Gio.DBusMessage.new_method_call(name, PATH, INTERFACE, member), types, values, list(fds))
            return bus.send_message_with_reply_sync(message, Gio.DBusSendMessageFlags.NONE, 10000)[0]

        if serve:
            arguments = GLib.Variant("(su)", (NAME, 0))
            bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName", arguments, None, Gio.DBusCallFlags.NONE, -1)
            loop.run()
            return
        bus.signal_subscribe(None, INTERFACE, None, None, None, Gio.DBusSignalFlags.NONE, lambda *_: None)
        for number in SETS:
            for member in ("Give", "Echo", "Take"):
                arguments = ("u", (number,)) if member == "Give" else self.made(number)
                print(member, text(call(member, *arguments)))
            call("Shout", "u", (number,))  # the signal came before the answer
            print(heard[number])
        reply = call("Fail")
        print("Fail", reply.get_error_name(), reply.get_body().unpack()[0])


library, part = sys.argv[1:3]
{"gio": Gio, "dbus_next": DbusNext, "jeepney": Jeepney}[library]().run(part == "serve", sys.argv[3] if part == "call" else None)
