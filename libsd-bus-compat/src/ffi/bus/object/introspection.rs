//! org.freedesktop.DBus.Introspectable: what an object has, as XML.

use dbus::{Kind, types};

use super::dispatch::{Call, Node, Stop};
use crate::Result;
use crate::ffi::bus::call::send;
use crate::ffi::bus::message_new::reply;
use crate::ffi::bus::vtable::HIDDEN;

impl Call<'_> {
    /// Answers for what is at a node. False if there is nothing.
    pub(super) fn introspect(&self, node: &Node<'_>) -> std::result::Result<bool, Stop> {
        if !self.types.is_empty() {
            self.refuse(
                b"org.freedesktop.DBus.Error.InvalidArgs",
                "Expected no parameters",
            )?;
            return Ok(true);
        }
        let is_trusted = self.bus.enter()?.trusted;
        let below = self.below(node, false)?;
        let mut is_nothing = below.is_empty();
        let mut text = String::from(BEGIN);
        if !node.is_above && node.has_manager() {
            text.push_str(OBJECT_MANAGER);
        }
        let mut open = None;
        for object in node.here() {
            let Some(one) = self.find(object)? else {
                continue;
            };
            is_nothing = false;
            if one.vtable.flags & HIDDEN != 0 {
                continue;
            }
            // The parts of an interface follow each other.
            if open.as_ref() != Some(&one.name) {
                if open.is_some() {
                    text.push_str(END_OF_INTERFACE);
                }
                one.vtable.begin(&one.name, &mut text);
                open = Some(one.name);
            }
            one.vtable.describe(is_trusted, &mut text);
        }
        if open.is_some() {
            text.push_str(END_OF_INTERFACE);
        }
        if is_nothing && !self.exists(node)? {
            return Ok(false);
        }
        let path = self.path.to_bytes();
        let prefix = path.strip_suffix(b"/").unwrap_or(path);
        for child in &below {
            let name = child.to_bytes().strip_prefix(prefix);
            let name = name.and_then(|name| name.strip_prefix(b"/"));
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                let name = String::from_utf8_lossy(name);
                text.push_str(&format!(" <node name=\"{name}\"/>\n"));
            }
        }
        text.push_str("</node>\n");
        self.answer_text(&text)?;
        Ok(true)
    }

    fn answer_text(&self, text: &str) -> Result<()> {
        let answer = reply(self.message, Kind::MethodReturn, |builder| {
            builder.append_text(types::STRING, text.as_bytes())
        })?;
        send(&answer.bus, &answer, false).map(drop)
    }
}

const END_OF_INTERFACE: &str = " </interface>\n";

const BEGIN: &str = concat!(
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n",
    "\"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n",
    "<node>\n",
    " <interface name=\"org.freedesktop.DBus.Peer\">\n",
    "  <method name=\"Ping\"/>\n",
    "  <method name=\"GetMachineId\">\n",
    "   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n",
    "  </method>\n",
    " </interface>\n",
    " <interface name=\"org.freedesktop.DBus.Introspectable\">\n",
    "  <method name=\"Introspect\">\n",
    "   <arg name=\"xml_data\" type=\"s\" direction=\"out\"/>\n",
    "  </method>\n",
    " </interface>\n",
    " <interface name=\"org.freedesktop.DBus.Properties\">\n",
    "  <method name=\"Get\">\n",
    "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"property_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"value\" direction=\"out\" type=\"v\"/>\n",
    "  </method>\n",
    "  <method name=\"GetAll\">\n",
    "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"props\" direction=\"out\" type=\"a{sv}\"/>\n",
    "  </method>\n",
    "  <method name=\"Set\">\n",
    "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"property_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"value\" direction=\"in\" type=\"v\"/>\n",
    "  </method>\n",
    "  <signal name=\"PropertiesChanged\">\n",
    "   <arg type=\"s\" name=\"interface_name\"/>\n",
    "   <arg type=\"a{sv}\" name=\"changed_properties\"/>\n",
    "   <arg type=\"as\" name=\"invalidated_properties\"/>\n",
    "  </signal>\n",
    " </interface>\n",
);

const OBJECT_MANAGER: &str = concat!(
    " <interface name=\"org.freedesktop.DBus.ObjectManager\">\n",
    "  <method name=\"GetManagedObjects\">\n",
    "   <arg type=\"a{oa{sa{sv}}}\" name=\"object_paths_interfaces_and_properties\" direction=\"out\"/>\n",
    "  </method>\n",
    "  <signal name=\"InterfacesAdded\">\n",
    "   <arg type=\"o\" name=\"object_path\"/>\n",
    "   <arg type=\"a{sa{sv}}\" name=\"interfaces_and_properties\"/>\n",
    "  </signal>\n",
    "  <signal name=\"InterfacesRemoved\">\n",
    "   <arg type=\"o\" name=\"object_path\"/>\n",
    "   <arg type=\"as\" name=\"interfaces\"/>\n",
    "  </signal>\n",
    " </interface>\n",
);
