// SPDX-License-Identifier: GPL-2.0-or-later
//
// No call of hw/abi/kmemdump_md.h lets an exception out, wherever in it the host runs out of memory, and the
// controller goes on afterwards. QEMU is C: an exception that reached it would end the machine.
#include "hw/abi/kmemdump_md.h"
#include "temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

namespace
{

constexpr long kNever = -1;

/// How many allocations succeed until one fails.
long allocations_left = kNever;

bool fails_now()
{
    return allocations_left != kNever && allocations_left-- == 0;
}

void* allocate(std::size_t size)
{
    if (fails_now()) {
        allocations_left = kNever;
        throw std::bad_alloc();
    }
    void* memory = std::malloc(std::max<std::size_t>(size, 1));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

} // namespace

void* operator new(std::size_t size)
{
    return allocate(size);
}

void* operator new[](std::size_t size)
{
    return allocate(size);
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return fails_now() ? nullptr : std::malloc(std::max<std::size_t>(size, 1));
}

void operator delete(void* memory, const std::nothrow_t&) noexcept
{
    std::free(memory);
}

void operator delete(void* memory) noexcept
{
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

void operator delete[](void* memory) noexcept
{
    std::free(memory);
}

void operator delete[](void* memory, std::size_t) noexcept
{
    std::free(memory);
}

namespace
{

using kmd::test::TempDir;

constexpr std::uint64_t kRam = 0x80000000;
alignas(4096) unsigned char ram[0x4000];

std::uint64_t map_ram(void*, std::uint64_t phys, std::uint64_t size, const void** bytes)
{
    if (phys < kRam || phys - kRam >= sizeof(ram)) {
        return 0;
    }
    *bytes = ram + (phys - kRam);
    return std::min<std::uint64_t>(size, sizeof(ram) - (phys - kRam));
}

void cpu_notes(void*, kmd_note_sink* put, void* sink)
{
    const unsigned char header[] = {5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0};
    put(sink, header, sizeof(header));
    put(sink, "CORE\0\0\0", 8);
    put(sink, "regs", 4);
}

const kmd_host_ops kOps = [] {
    kmd_host_ops ops{};
    ops.map_ram = map_ram;
    ops.next_ram = [](void*, std::uint64_t, std::uint64_t*) { return 0; };
    ops.machine = [](void*, kmd_machine* machine) { *machine = {183, 2, 1}; };
    ops.cpu_notes = cpu_notes;
    ops.schedule_dump = [](void* scheduled) { ++*static_cast<int*>(scheduled); };
    ops.log_guest_error = [](void*, const char*) {};
    ops.report = [](void*, const char*) {};
    ops.warn = [](void*, const char*) {};
    ops.trace = [](void*, const char*) {};
    ops.dump_done = [](void*, std::uint64_t, const char*) {};
    ops.send = [](void*, const void*, std::size_t size) { return static_cast<std::int64_t>(size); };
    ops.disconnect = [](void*) { return 1; };
    return ops;
}();

struct Machine {
    Machine()
    {
        config.slots = 4;
        config.output = folder.path().c_str();
        config.sidecar = 1;
        config.on_reset = config.on_shutdown = config.on_quit = 1;
        char* error = nullptr;
        controller = kmd_create(&config, &kOps, &scheduled, &error);
        add(0);
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine() { kmd_destroy(controller); }

    void fill(std::uint64_t index) const
    {
        const std::uint64_t slot = 0x1000 + 64 * index;
        kmd_write(controller, slot + 0x00, kRam + index * 0x1000, 8);
        kmd_write(controller, slot + 0x08, 0xffff000080000000, 8);
        kmd_write(controller, slot + 0x10, 0x1000, 8);
        kmd_write(controller, slot + 0x28, index + 1, 4);
    }
    void add(std::uint64_t index) const
    {
        fill(index);
        kmd_write(controller, 0x1000 + 64 * index + 0x38, 1, 4);
    }
    std::uint64_t read(std::uint64_t offset) const { return kmd_read(controller, offset, 4); }

    TempDir folder;
    int scheduled = 0;
    kmd_config config{};
    kmd_controller* controller = nullptr;
};

/// Does it in a machine of its own, with each of its allocations failing in turn, and looks at the machine.
void at_each_allocation(
    const std::function<void(Machine&)>& call, const std::function<void(Machine&)>& look = [](Machine&) {})
{
    for (long allocation = 0;; ++allocation) {
        ASSERT_LT(allocation, 100000);
        Machine machine;
        ASSERT_NE(machine.controller, nullptr);
        allocations_left = allocation;
        call(machine);
        const bool failed = allocations_left == kNever;
        allocations_left = kNever;
        if (!failed) {
            return;
        }
        look(machine);
        if (testing::Test::HasFailure()) {
            FAIL() << "allocation " << allocation;
        }
    }
}

/// Is alive, and takes a dump.
void works(Machine& machine)
{
    const auto before = machine.read(0x040);
    kmd_reset(machine.controller);
    machine.add(1);
    EXPECT_EQ(machine.read(0x1070), 1u);
    kmd_write(machine.controller, 0x020, 1, 4);
    kmd_take_dump(machine.controller);
    EXPECT_EQ(machine.read(0x048), 1u);
    EXPECT_EQ(machine.read(0x040), before + 1);
}

TEST(OutOfMemory, AtTheCreationIsSaid)
{
    at_each_allocation([](Machine& machine) {
        char* error = nullptr;
        kmd_controller* second = kmd_create(&machine.config, &kOps, &machine.scheduled, &error);
        if (second == nullptr) {
            EXPECT_STREQ(error, "the host is out of memory");
        }
        std::free(error);
        kmd_destroy(second);
    });
}

TEST(OutOfMemory, InAnAccessLeavesTheControllerUsable)
{
    for (const bool trace : {false, true}) {
        at_each_allocation(
            [&](Machine& machine) {
                kmd_set_trace(machine.controller, trace);
                (void)kmd_read(machine.controller, 0x000, 4);
                (void)kmd_read(machine.controller, 0x7f0, 3);
                kmd_write(machine.controller, 0x7f0, 1, 8);
                machine.add(2);
                machine.add(2);
                kmd_write(machine.controller, 0x10b8, 0, 4);
            },
            works);
    }
}

TEST(OutOfMemory, AtACommitRefusesTheRegionThatTheNextCommitTakes)
{
    at_each_allocation(
        [](Machine& machine) {
            machine.fill(2);
            kmd_write(machine.controller, 0x10b8, 1, 4);
        },
        [](Machine& machine) {
            if (machine.read(0x10b8) == 0) {
                EXPECT_EQ(machine.read(0x10b0), 22u) << "SLOT_REFUSED: the same commit again may pass";
                EXPECT_EQ(machine.read(0x02c), 1u);
                kmd_write(machine.controller, 0x10b8, 1, 4);
            }
            EXPECT_EQ(machine.read(0x10b0), 1u) << "SLOT_OK";
            EXPECT_EQ(machine.read(0x02c), 2u);
        });
}

TEST(OutOfMemory, NeverLosesABellThatWasAccepted)
{
    at_each_allocation(
        // The second half is a guest error, and needs words.
        [](Machine& machine) { kmd_write(machine.controller, 0x020, 0x500000001, 8); },
        [](Machine& machine) {
            EXPECT_EQ(machine.scheduled, 1);
            kmd_take_dump(machine.controller);
            EXPECT_EQ(machine.read(0x024) & 2, 0u) << "STATUS_BUSY";
            EXPECT_EQ(machine.read(0x048), 1u);
        });
}

TEST(OutOfMemory, InADumpIsAResultAndTheNextOneIsComplete)
{
    const std::function<void(Machine&)> dumps[] = {
        [](Machine& machine) {
            kmd_write(machine.controller, 0x020, 1, 4);
            kmd_take_dump(machine.controller);
        },
        [](Machine& machine) { kmd_machine_event(machine.controller, KMD_EVENT_RESET); },
        [](Machine& machine) { std::free(kmd_request_dump(machine.controller, "host")); },
        [](Machine& machine) {
            kmd_write(machine.controller, 0x020, 2, 4);
            kmd_shut_down(machine.controller);
        },
    };
    for (const auto& dump : dumps) {
        at_each_allocation(dump, [](Machine& machine) {
            EXPECT_EQ(machine.read(0x024) & 2, 0u) << "STATUS_BUSY";
            works(machine);
        });
    }
}

TEST(OutOfMemory, AtARequestIsNeverTakenForADump)
{
    at_each_allocation([](Machine& machine) {
        char* error = kmd_request_dump(machine.controller, "because of something that takes memory to say");
        EXPECT_NE(error, nullptr);
        std::free(error);
    });
}

TEST(OutOfMemory, OfAStateIsSaidAndChangesNothingAtTheOtherEnd)
{
    at_each_allocation([](Machine& machine) {
        const std::size_t size = kmd_state_size(machine.controller);
        if (size == 0) {
            return;
        }
        const auto state = static_cast<unsigned char*>(std::malloc(size));
        char* error = kmd_save_state(machine.controller, state);
        if (error == nullptr) {
            error = kmd_load_state(machine.controller, state, size);
        }
        if (error != nullptr) {
            EXPECT_STREQ(error, "the host is out of memory");
        }
        std::free(error);
        std::free(state);
    });
}

TEST(OutOfMemory, LeavesAPersonWithoutAnAnswer)
{
    for (const auto which : {KMD_TEXT_STATE, KMD_TEXT_LAST_FILE, KMD_TEXT_LAST_ERROR, KMD_TEXT_REGIONS}) {
        at_each_allocation([which](Machine& machine) { std::free(kmd_get_text(machine.controller, which)); },
                           works);
    }
}

} // namespace
