// In C++: all properties of the server beside this, as a map of values.
//
//   ./properties
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>

#include <systemd/sd-bus.h>

namespace {

// Who has such a pointer lets go of the object with it.
struct Release {
    void operator()(sd_bus *bus) const { sd_bus_flush_close_unref(bus); }
    void operator()(sd_bus_message *message) const { sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, Release>;
using Message = std::unique_ptr<sd_bus_message, Release>;

// A negative errno as an exception.
int check(int answer) {
    if (answer < 0)
        throw std::runtime_error(std::strerror(-answer));
    return answer;
}

Bus open() {
    sd_bus *bus = nullptr;
    check(sd_bus_open_user(&bus));
    return Bus(bus);
}

using Value = std::variant<std::string, uint32_t>;

Value value(sd_bus_message *message) {
    const char *types = nullptr;
    check(sd_bus_message_peek_type(message, nullptr, &types));
    if (std::strcmp(types, "u") == 0) {
        uint32_t number = 0;
        check(sd_bus_message_read(message, "v", "u", &number));
        return number;
    }
    const char *text = nullptr;
    check(sd_bus_message_read(message, "v", "s", &text));
    return std::string(text);
}

std::map<std::string, Value> properties(sd_bus *bus) {
    sd_bus_message *answer = nullptr;
    check(sd_bus_call_method(bus, "org.example.Greeter", "/org/example/Greeter", "org.freedesktop.DBus.Properties", "GetAll",
                             nullptr, &answer, "s", "org.example.Greeter"));
    Message reply(answer);
    std::map<std::string, Value> all;
    check(sd_bus_message_enter_container(answer, 'a', "{sv}"));
    while (check(sd_bus_message_enter_container(answer, 'e', "sv")) > 0) {
        const char *name = nullptr;
        check(sd_bus_message_read(answer, "s", &name));
        all.emplace(name, value(answer));
        check(sd_bus_message_exit_container(answer));
    }
    check(sd_bus_message_exit_container(answer));
    return all;
}

} // namespace

int main() try {
    Bus bus = open();
    for (const auto &[name, value] : properties(bus.get())) {
        std::cout << name << " = ";
        std::visit([](const auto &value) { std::cout << value << "\n"; }, value);
    }
    return 0;
} catch (const std::exception &error) {
    std::cerr << "properties: " << error.what() << "\n";
    return 1;
}
