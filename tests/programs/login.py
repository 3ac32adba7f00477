"""What programs of a desktop ask of logind and of a screen saver, and what logind tells them when it is told to (org.example.Test).
What was asked is printed."""

import os

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

MANAGER, SESSION, TEST = "org.freedesktop.login1.Manager", "org.freedesktop.login1.Session", "org.example.Test"
PATH = "/org/freedesktop/login1/session/c1"


def say(*what):
    print(*what, flush=True)


class Manager(dbus.service.Object):
    @dbus.service.method(MANAGER, in_signature="ssss", out_signature="h")
    def Inhibit(self, what, who, why, mode):
        """A lock that holds until its descriptor is closed."""
        ours, theirs = os.pipe()

        def on_end(*_):
            say("released:", what, who, why, mode)
            os.close(ours)
            return False

        GLib.io_add_watch(ours, GLib.IO_HUP, on_end)
        say("inhibited:", what, who, why, mode)
        lock = dbus.types.UnixFd(theirs)
        os.close(theirs)
        return lock

    @dbus.service.method(MANAGER, in_signature="s", out_signature="o")
    def GetSession(self, name):
        say("asked for session", name)
        return PATH

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        say("asked for", interface, name)
        return dbus.String("", variant_level=1)

    @dbus.service.signal(MANAGER, signature="b")
    def PrepareForSleep(self, begins):
        pass

    @dbus.service.method(TEST, in_signature="b")
    def Sleep(self, begins):
        self.PrepareForSleep(begins)


class Session(dbus.service.Object):
    @dbus.service.method(SESSION, in_signature="b")
    def SetIdleHint(self, idle):
        say("idle:", idle)

    @dbus.service.signal(SESSION)
    def Lock(self):
        pass

    @dbus.service.signal(SESSION)
    def Unlock(self):
        pass

    @dbus.service.method(TEST, in_signature="b")
    def LockOrUnlock(self, lock):
        self.Lock() if lock else self.Unlock()


class ScreenSaver(dbus.service.Object):
    INTERFACE = "org.freedesktop.ScreenSaver"

    @dbus.service.method(INTERFACE, in_signature="ss", out_signature="u")
    def Inhibit(self, who, why):
        say("no screen saver:", who, why)
        return 77

    @dbus.service.method(INTERFACE, in_signature="u")
    def UnInhibit(self, cookie):
        say("screen saver:", cookie)


DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
objects = Manager(bus, "/org/freedesktop/login1"), Session(bus, PATH), ScreenSaver(bus, "/org/freedesktop/ScreenSaver")
names = [dbus.service.BusName(name, bus) for name in ("org.freedesktop.ScreenSaver", "org.freedesktop.login1")]
GLib.MainLoop().run()
