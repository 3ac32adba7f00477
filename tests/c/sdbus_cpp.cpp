// A service and its client by sdbus-c++, the binding of C++ that is itself linked against libsystemd: what the client sees is printed.
#include <sdbus-c++/sdbus-c++.h>

#include <fcntl.h>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

static const std::string name = "org.example.Cpp", path = "/org/example/Cpp", interface = "org.example.Concat";
using Record = sdbus::Struct<std::string, std::map<int32_t, std::vector<double>>, sdbus::Variant>;

static std::string shown(const std::map<std::string, sdbus::Variant> &properties) {
    std::string text;
    for (const auto &[name, value] : properties)
        text += name + ":" + value.peekValueType() + " ";
    return text;
}

int main() {
    auto served = sdbus::createSessionBusConnection(name);
    served->addObjectManager("/org/example", sdbus::floating_slot);
    auto object = sdbus::createObject(*served, path);
    std::string state = "begun";
    object->registerMethod("Concat").onInterface(interface).withInputParamNames("numbers", "between").withOutputParamNames("text").implementedAs(
        [](const std::vector<int> &numbers, const std::string &between) {
            if (numbers.empty())
                throw sdbus::Error("org.example.Concat.Nothing", "there are no numbers");
            std::string text;
            for (auto number : numbers)
                text += (text.empty() ? "" : between) + std::to_string(number);
            return text;
        });
    object->registerMethod("Later").onInterface(interface).implementedAs([](sdbus::Result<std::string> &&result, std::string text) {
        std::thread([result = std::move(result), text] { result.returnResults(text + " later"); }).detach();
    });
    object->registerMethod("Same").onInterface(interface).implementedAs([](const Record &record) { return record; });
    object->registerMethod("Read").onInterface(interface).implementedAs([](const sdbus::UnixFd &fd) {
        char text[16];
        auto size = pread(fd.get(), text, sizeof text, 0);
        return std::string(text, size < 0 ? 0 : size);
    });
    object->registerMethod("Quiet").onInterface(interface).implementedAs([] {}).withNoReply().markAsDeprecated();
    object->registerProperty("State").onInterface(interface).withGetter([&] { return state; }).withSetter([&](const std::string &to) {
        state = to;
        object->emitPropertiesChangedSignal(interface, {"State"});
    });
    object->registerProperty("Fixed").onInterface(interface).withGetter([] { return uint64_t(7); }).withUpdateBehavior(
        sdbus::Flags::CONST_PROPERTY_VALUE);
    object->registerSignal("Done").onInterface(interface).withParameters<std::string, int>("text", "number");
    object->finishRegistration();
    served->enterEventLoopAsync();

    auto client = sdbus::createSessionBusConnection();
    auto proxy = sdbus::createProxy(*client, name, path);
    std::promise<std::string> done, changed;
    proxy->uponSignal("Done").onInterface(interface).call(
        [&](const std::string &text, int number) { done.set_value(text + " " + std::to_string(number)); });
    proxy->uponSignal("PropertiesChanged")
        .onInterface("org.freedesktop.DBus.Properties")
        .call([&](const std::string &, const std::map<std::string, sdbus::Variant> &values, const std::vector<std::string> &) {
            changed.set_value(values.at("State").get<std::string>());
        });
    proxy->finishRegistration();
    client->enterEventLoopAsync();

    std::string text;
    proxy->callMethod("Concat").onInterface(interface).withArguments(std::vector<int>{1, 2, 3}, ":").storeResultsTo(text);
    std::cout << text << "\n";
    try {
        proxy->callMethod("Concat").onInterface(interface).withArguments(std::vector<int>{}, "").storeResultsTo(text);
    } catch (const sdbus::Error &error) {
        std::cout << error.getName() << ": " << error.getMessage() << "\n";
    }
    try {
        proxy->callMethod("Concat").onInterface(interface).withArguments(7).storeResultsTo(text);
    } catch (const sdbus::Error &error) {
        std::cout << error.getName() << ": " << error.getMessage() << "\n";
    }
    std::promise<std::string> later;
    proxy->callMethodAsync("Later").onInterface(interface).withArguments("sooner or").uponReplyInvoke(
        [&](const sdbus::Error *error, const std::string &text) { later.set_value(error ? error->getName() : text); });
    std::cout << later.get_future().get() << "\n";

    Record record{"record", {{1, {0.5, -2.25}}, {2, {}}}, sdbus::Variant(sdbus::make_struct(std::string("in"), uint8_t(3)))}, same;
    proxy->callMethod("Same").onInterface(interface).withArguments(record).storeResultsTo(same);
    auto inner = same.get<2>().get<sdbus::Struct<std::string, uint8_t>>();
    std::cout << same.get<0>() << " " << same.get<1>().at(1)[1] << " " << same.get<1>().at(2).size() << " " << inner.get<0>() << "\n";
    std::ofstream("/tmp/text") << "a file";
    sdbus::UnixFd fd(open("/tmp/text", O_RDONLY), sdbus::adopt_fd);
    proxy->callMethod("Read").onInterface(interface).withArguments(fd).storeResultsTo(text);
    std::cout << text << "\n";
    proxy->callMethod("Quiet").onInterface(interface).dontExpectReply();

    std::cout << proxy->getProperty("State").onInterface(interface).get<std::string>() << "\n";
    proxy->setProperty("State").onInterface(interface).toValue("changed");
    std::cout << changed.get_future().get() << "\n";
    try {
        proxy->setProperty("Fixed").onInterface(interface).toValue(uint64_t(8));
    } catch (const sdbus::Error &error) {
        std::cout << error.getName() << "\n";
    }
    object->emitSignal("Done").onInterface(interface).withArguments("done", 7);
    std::cout << done.get_future().get() << "\n";

    auto manager = sdbus::createProxy(*client, name, "/org/example");
    std::map<sdbus::ObjectPath, std::map<std::string, std::map<std::string, sdbus::Variant>>> objects;
    manager->callMethod("GetManagedObjects").onInterface("org.freedesktop.DBus.ObjectManager").storeResultsTo(objects);
    for (const auto &[path, interfaces] : objects)
        for (const auto &[interface, properties] : interfaces)
            std::cout << path << " " << interface << " " << shown(properties) << "\n";
    std::string introspected;
    proxy->callMethod("Introspect").onInterface("org.freedesktop.DBus.Introspectable").storeResultsTo(introspected);
    std::cout << introspected;
    proxy.reset();
    manager.reset();
    client->leaveEventLoop();
    served->leaveEventLoop();

    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find("/libsystemd.so.0") != std::string::npos) {
            std::cerr << line.substr(line.find('/')) << "\n";
            break;
        }
}
