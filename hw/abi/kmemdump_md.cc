// SPDX-License-Identifier: GPL-2.0-or-later
//
// The C interface of the controller. It only translates and makes no decisions.
#include "hw/abi/kmemdump_md.h"

#include "hw/controller/controller.h"

#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace
{

/// Implements Host and GuestMemory with the C functions of kmd_host_ops.
class CHost final : public kmd::Host, public kmd::GuestMemory
{
  public:
    CHost(const kmd_host_ops& ops, void* host) : ops_(ops), host_(host) {}

    kmd::GuestMemory& memory() override { return *this; }

    kmd::Machine machine() override
    {
        kmd_machine machine = {};
        ops_.machine(host_, &machine);
        return {machine.elf_machine, machine.elf_class, machine.elf_data};
    }

    std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) override
    {
        const void* bytes = nullptr;
        const std::uint64_t length = ops_.map_ram(host_, phys, size, &bytes);
        return {static_cast<const std::byte*>(bytes), length};
    }

    std::optional<std::uint64_t> next_ram(std::uint64_t phys) override
    {
        std::uint64_t start = 0;
        return ops_.next_ram(host_, phys, &start) != 0 ? std::optional(start) : std::nullopt;
    }

    std::vector<std::byte> cpu_notes() override
    {
        Notes notes;
        ops_.cpu_notes(host_, append, &notes);
        if (notes.out_of_memory) {
            throw std::bad_alloc();
        }
        return std::move(notes.bytes);
    }

    void read_registers(unsigned cpu, std::span<kmd::SystemRegister> registers) override
    {
        std::vector<kmd_cpu_register> asked;
        asked.reserve(registers.size());
        for (const kmd::SystemRegister& wanted : registers) {
            asked.push_back({wanted.field, wanted.number, 0, 0});
        }
        ops_.cpu_registers(host_, cpu, asked.data(), asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
            registers[i].value = asked[i].known != 0 ? std::optional(asked[i].value) : std::nullopt;
        }
    }

    void schedule_dump() override { ops_.schedule_dump(host_); }
    void log_guest_error(const std::string& message) override
    {
        ops_.log_guest_error(host_, message.c_str());
    }
    void report(const std::string& message) override { ops_.report(host_, message.c_str()); }
    void warn(const std::string& message) override { ops_.warn(host_, message.c_str()); }
    void trace(const std::string& message) override { ops_.trace(host_, message.c_str()); }
    void dump_done(std::uint64_t bytes, const std::string& error) override
    {
        ops_.dump_done(host_, bytes, error.empty() ? nullptr : error.c_str());
    }

    std::optional<std::size_t> send(std::span<const std::byte> bytes) override
    {
        const std::int64_t sent = ops_.send(host_, bytes.data(), bytes.size());
        return sent < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(sent));
    }
    bool disconnect() override { return ops_.disconnect(host_) != 0; }

  private:
    struct Notes {
        std::vector<std::byte> bytes;
        bool out_of_memory = false;
    };

    /// Called by C, so no exception may leave it.
    static void append(void* sink, const void* bytes, std::size_t size)
    {
        auto& notes = *static_cast<Notes*>(sink);
        const auto* begin = static_cast<const std::byte*>(bytes);
        try {
            notes.bytes.insert(notes.bytes.end(), begin, begin + size);
        } catch (const std::bad_alloc&) {
            notes.out_of_memory = true;
        }
    }

    const kmd_host_ops& ops_;
    void* host_;
};

/// NULL keeps the default.
template <class T> void set(T& setting, const char* value)
{
    if (value != nullptr) {
        setting = value;
    }
}

constexpr const char* kOutOfMemory = "the host is out of memory";

/// Returns the result of `call`, or `otherwise` if it throws: no exception may reach C. The standard library
/// can throw more than bad_alloc, for which the caller is not to blame either.
template <class Call, class T> T guarded(const Call& call, T otherwise) noexcept
{
    try {
        return call();
    } catch (const std::exception&) {
        return otherwise;
    }
}

/// The same for a call without a result.
template <class Call> void guarded(const Call& call) noexcept
{
    try {
        call();
    } catch (const std::exception&) {
        // LAST_RESULT reports a failed dump.
    }
}

/// The error as a string for the caller to free(), or NULL if there is none.
template <class Call> char* error_text(const Call& call) noexcept
{
    try {
        const std::optional<kmd::Error> error = call();
        return error ? strdup(error->what.c_str()) : nullptr;
    } catch (const std::exception&) {
        return strdup(kOutOfMemory);
    }
}

} // namespace

struct kmd_controller {
    kmd_controller(const kmd_host_ops& ops, void* opaque) : host(ops, opaque) {}

    CHost host;
    std::unique_ptr<kmd::Controller> controller;
};

namespace
{

kmd::Config settings_of(const kmd_config* config)
{
    kmd::Config settings;
    settings.slots = config->slots;
    settings.max_regions = config->max_regions;
    settings.max_dumps = config->max_dumps;
    settings.on_reset = config->on_reset;
    settings.on_shutdown = config->on_shutdown;
    settings.on_quit = config->on_quit;
    settings.pause = config->pause;
    settings.max_bytes = config->max_bytes;
    settings.keep = config->keep;
    settings.sidecar = config->sidecar;
    settings.pci = config->pci;
    settings.chardev_timeout_ms = config->chardev_timeout_ms;
    settings.faults = {config->inject_refuse, config->inject_full, config->inject_write_fail,
                       config->inject_write_cut, config->inject_stop};
    set(settings.output, config->output);
    set(settings.name, config->name);
    set(settings.file, config->file);
    set(settings.chardev, config->chardev);
    set(settings.compress, config->compress);
    set(settings.format, config->format);
    set(settings.capture, config->capture);
    set(settings.linux_capture, config->linux_capture);
    set(settings.types, config->types);
    set(settings.plugin_version, config->plugin_version);
    set(settings.qemu_version, config->qemu_version);
    return settings;
}

} // namespace

kmd_controller* kmd_create(const kmd_config* config, const kmd_host_ops* ops, void* host, char** error)
{
    try {
        auto controller = std::make_unique<kmd_controller>(*ops, host);
        auto created = kmd::Controller::create(settings_of(config), controller->host);
        if (created) {
            controller->controller = std::move(created.value());
            return controller.release();
        }
        *error = strdup(created.error().what.c_str());
    } catch (const std::exception&) {
        *error = strdup(kOutOfMemory);
    }
    return nullptr;
}

void kmd_destroy(kmd_controller* controller)
{
    delete controller;
}

std::uint64_t kmd_window_size(const kmd_controller* controller)
{
    return controller->controller->window_size();
}

std::uint64_t kmd_read(kmd_controller* controller, std::uint64_t offset, unsigned size)
{
    return guarded([&] { return controller->controller->read(offset, size); }, std::uint64_t{0});
}

void kmd_write(kmd_controller* controller, std::uint64_t offset, std::uint64_t value, unsigned size)
{
    guarded([&] { controller->controller->write(offset, value, size); });
}

void kmd_take_dump(kmd_controller* controller)
{
    guarded([&] { controller->controller->take_dump(); });
}

int kmd_wants_pause(kmd_controller* controller)
{
    return controller->controller->wants_pause() ? 1 : 0;
}

void kmd_machine_event(kmd_controller* controller, enum kmd_machine_event event)
{
    guarded([&] { controller->controller->machine_event(event); });
}

void kmd_choose(kmd_controller* const* controllers, std::size_t count)
{
    guarded([&] {
        std::vector<kmd::Controller*> all;
        for (kmd_controller* const one : std::span(controllers, count)) {
            all.push_back(one->controller.get());
        }
        kmd::Controller::choose(all);
    });
}

void kmd_poll(kmd_controller* controller)
{
    guarded([&] { controller->controller->poll(); });
}

char* kmd_request_dump(kmd_controller* controller, const char* reason)
{
    return error_text([&] { return controller->controller->request_dump(reason); });
}

std::size_t kmd_state_size(const kmd_controller* controller)
{
    return guarded([&] { return controller->controller->save_state().size(); }, std::size_t{0});
}

char* kmd_save_state(const kmd_controller* controller, void* bytes)
{
    return error_text([&]() -> std::optional<kmd::Error> {
        const auto state = controller->controller->save_state();
        std::memcpy(bytes, state.data(), state.size());
        return std::nullopt;
    });
}

char* kmd_load_state(kmd_controller* controller, const void* bytes, std::size_t size)
{
    return error_text([&] {
        return controller->controller->load_state({static_cast<const std::byte*>(bytes), size});
    });
}

std::uint64_t kmd_get_number(const kmd_controller* controller, enum kmd_number which)
{
    switch (which) {
    case KMD_NUMBER_DUMPS:
        return controller->controller->dump_count();
    case KMD_NUMBER_LAST_BYTES:
        return controller->controller->last_attempt().bytes;
    case KMD_NUMBER_LAST_NANOSECONDS:
        return controller->controller->last_attempt().nanoseconds;
    }
    return 0;
}

namespace
{

std::string text_of(const kmd::Controller& controller, enum kmd_text which)
{
    switch (which) {
    case KMD_TEXT_STATE:
        return controller.state_text();
    case KMD_TEXT_LAST_FILE:
        return controller.last_file();
    case KMD_TEXT_LAST_ERROR:
        return controller.last_error();
    case KMD_TEXT_REGIONS:
        return controller.regions_json();
    }
    return {};
}

} // namespace

char* kmd_get_text(const kmd_controller* controller, enum kmd_text which)
{
    return guarded([&] { return strdup(text_of(*controller->controller, which).c_str()); },
                   static_cast<char*>(nullptr));
}

void kmd_set_trace(kmd_controller* controller, std::uint8_t on)
{
    controller->controller->set_trace(on != 0);
}

void kmd_reset(kmd_controller* controller)
{
    guarded([&] { controller->controller->reset(); });
}

void kmd_shut_down(kmd_controller* controller)
{
    guarded([&] { controller->controller->shut_down(); });
}
