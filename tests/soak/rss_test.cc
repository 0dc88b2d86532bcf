// SPDX-License-Identifier: GPL-2.0-or-later
//
// QEMU does not grow, however many dumps the host asks of one guest. KMD_SOAK_DUMPS says how many; a few
// hundred when it is not set.
#include "payload_machine.h"

#include "elf_core.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace
{

using support::ElfCore;
using support::PayloadMachine;
using support::PayloadMode;

unsigned wanted_dumps()
{
    const char* chosen = std::getenv("KMD_SOAK_DUMPS");
    return chosen == nullptr ? 200 : static_cast<unsigned>(std::stoul(chosen));
}

/// Resident memory in KiB: proc(5), statm.
std::int64_t resident(pid_t pid)
{
    std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
    std::int64_t size = 0;
    std::int64_t pages = 0;
    statm >> size >> pages;
    return pages * ::sysconf(_SC_PAGESIZE) / 1024;
}

TEST(Soak, QemuDoesNotGrowWithTheNumberOfDumps)
{
    const unsigned dumps = wanted_dumps();
    const unsigned warm_up = dumps / 10;
    for (const char* properties : {"keep=2", "keep=2,compress=zstd"}) {
        PayloadMachine machine(PayloadMode::kHang, properties);
        std::int64_t before = 0;
        for (unsigned i = 1; i <= dumps; ++i) {
            machine.request_dump("host");
            if (i == warm_up) {
                before = resident(machine.pid());
            }
        }
        const std::int64_t growth = resident(machine.pid()) - before;
        std::cout << properties << ": " << dumps << " dumps, " << before << " KiB after the first " << warm_up
                  << ", " << growth << " KiB more at the end" << std::endl;
        EXPECT_GT(before, 1000);
        // A leak of one page a dump would be more; QEMU's own threads come and go.
        EXPECT_LT(growth, std::max<std::int64_t>(1024, (dumps - warm_up) * 2));
        ASSERT_EQ(machine.dumps().size(), 2u);
        if (std::string(properties) == "keep=2") {
            EXPECT_EQ(ElfCore::read(machine.dumps().back()).flags, 0u);
        }
    }
}

} // namespace
