//! Images and disk pools, which this machined has none of, and says so.

mod machined_bus_client;

use machined_bus_client::{Answer, Args, Client, MANAGER, MANAGER_IFACE, PROPERTIES};
use serde_json::json;
use support::sandbox;

/// Each method of images and of the pool, with arguments that are good.
fn unmanaged() -> Vec<(&'static str, Args)> {
    vec![
        ("RemoveImage", args!["x"]),
        ("RenameImage", args!["x", "y"]),
        ("CloneImage", args!["x", "y", false]),
        ("MarkImageReadOnly", args!["x", true]),
        ("SetImageLimit", args!["x", 1u64 << 30]),
        ("GetImageHostname", args!["x"]),
        ("GetImageMachineID", args!["x"]),
        ("GetImageMachineInfo", args!["x"]),
        ("GetImageOSRelease", args!["x"]),
        ("SetPoolLimit", args![1u64 << 30]),
        ("CleanPool", args!["all"]),
        ("CleanPool", args!["hidden"]),
    ]
}

#[test]
fn images_and_pools_are_not_supported_on_the_bus() {
    sandbox!(|s| {
        std::fs::create_dir_all("/var/lib/machines/x/etc").unwrap();
        let client = Client::new();
        for (member, args) in unmanaged() {
            let answer = client.manager(member, args);
            let supported = answer.is_error("org.freedesktop.DBus.Error.NotSupported");
            assert!(supported, "{member}: {answer:?}");
        }
        let list = client.manager("ListImages", args![]);
        let none = "Ok([Array(Array { elements: [], ";
        assert!(
            matches!(&list, Answer::Reply(signature, values) if signature == "a(ssbttto)" && values.starts_with(none)),
            "{list:?}"
        );
        let image = client.manager("GetImage", args!["x"]);
        assert!(image.is_error("machine1.NoSuchImage"), "{image:?}");
        let path = "/org/freedesktop/machine1/image/x";
        let interface = "org.freedesktop.machine1.Image";
        let object = client.call(path, interface, "Remove", args![]);
        assert!(object.is_error(".UnknownObject"), "{object:?}");
        for (property, value) in [
            ("PoolPath", "Str(\"/var/lib/machines\")".to_owned()),
            ("PoolUsage", format!("U64({})", u64::MAX)),
            ("PoolLimit", format!("U64({})", u64::MAX)),
        ] {
            let args = args![MANAGER_IFACE, property];
            let told = client.call(MANAGER, PROPERTIES, "Get", args).ok();
            assert!(told.contains(&value), "{property}: {told}");
        }
        let listed = s.run("machinectl list-images --no-pager").ok();
        assert!(listed.contains("No images."), "{listed}");
        s.run("machinectl remove x").fails(1);
        assert!(std::fs::metadata("/var/lib/machines/x/etc").is_ok());
    });
}

#[test]
fn images_and_pools_are_not_supported_over_varlink() {
    sandbox!(|s| {
        let socket = "/run/systemd/machine/io.systemd.MachineImage";
        let ask = |method: &str, parameters| {
            let reply = s.varlink(
                socket,
                &format!("io.systemd.MachineImage.{method}"),
                &parameters,
            );
            reply["error"].as_str().unwrap_or_default().to_owned()
        };
        for (method, parameters) in [
            ("Update", json!({ "name": "x", "readOnly": true })),
            ("Clone", json!({ "name": "x", "newName": "y" })),
            ("Remove", json!({ "name": "x" })),
            ("SetPoolLimit", json!({ "limit": 1 << 30 })),
            ("CleanPool", json!({ "mode": "all" })),
        ] {
            let error = ask(method, parameters);
            assert_eq!(error, "io.systemd.MachineImage.NotSupported", "{method}");
        }
        let error = ask("List", json!({ "name": "x" }));
        assert_eq!(error, "io.systemd.MachineImage.NoSuchImage");
    });
}
