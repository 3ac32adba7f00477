"""As much of a Wayland compositor as clients ask for before they begin: globals, and an answer to each sync."""

import os
import socket
import struct
import sys
import threading

GLOBALS = ("wl_compositor", 4), ("wl_shm", 1), ("wl_seat", 5), ("wl_output", 3), ("zwlr_layer_shell_v1", 2), ("ext_idle_notifier_v1", 1)


def event(target, opcode, body=b""):
    return struct.pack("=IHH", target, opcode, 8 + len(body)) + body


def text(value):
    value = value.encode() + b"\0"
    return struct.pack("=I", len(value)) + value + bytes(-len(value) % 4)


def serve(client):
    kinds, buffer = {1: "wl_display"}, b""
    while True:
        data, fds, _, _ = socket.recv_fds(client, 4096, 16)
        for fd in fds:
            os.close(fd)
        if not data:
            return
        buffer += data
        while len(buffer) >= 8:
            target, opcode, size = struct.unpack_from("=IHH", buffer)
            if len(buffer) < size:
                break
            body, buffer = buffer[8:size], buffer[size:]
            if kinds.get(target) == "wl_display" and opcode == 0:
                (callback,) = struct.unpack("=I", body)
                client.sendall(event(callback, 0, struct.pack("=I", 0)) + event(1, 1, struct.pack("=I", callback)))
            elif kinds.get(target) == "wl_display":
                (registry,) = struct.unpack("=I", body)
                kinds[registry] = "wl_registry"
                for name, (interface, version) in enumerate(GLOBALS):
                    client.sendall(event(registry, 0, struct.pack("=I", name) + text(interface) + struct.pack("=I", version)))
            elif kinds.get(target) == "wl_registry":
                (name,), (new,) = struct.unpack_from("=I", body), struct.unpack("=I", body[-4:])
                if GLOBALS[name][0] == "wl_seat":
                    client.sendall(event(new, 0, struct.pack("=I", 0)) + event(new, 1, text("seat0")))


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
