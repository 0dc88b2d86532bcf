// SPDX-License-Identifier: GPL-2.0-or-later
//
// Fresh stock guests crash one after the other, each in another way, and each dump is a whole one.
// KMD_SOAK_GUESTS says how many.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

namespace
{

struct Death {
    const char* command_line;
    std::string properties;
    const char* file;
    /// In the log that kmdump reads out of the dump.
    const char* log;
    /// The guest hangs, and the host asks.
    bool host_asks = false;
};

const std::vector<Death> kDeaths = {
    {"kmd.do=panic", "", "kmemdump-0001-panic.elf", "Kernel panic - not syncing"},
    {"kmd.do=panic", "compress=zstd", "kmemdump-0001-panic.elf.zst", "Kernel panic - not syncing"},
    {"kmd.do=reset", "", "kmemdump-0001-reset.elf", "sysrq: Resetting"},
    {"kmd.do=request", "", "kmemdump-0001-request.elf", "kernel"},
    {"kmd.do=reload", "", "kmemdump-0001-panic.elf", "modules loaded again"},
    {"kmd.do=panic panic=0", "", "kmemdump-0001-panic.elf", "Kernel panic - not syncing", true},
};

/// The dump lacks nothing but memory of processes that ended since the guest listed them, which is said, and
/// `kmdump verify` has nothing to say.
void expect_whole_but_for_what_is_gone(const std::filesystem::path& dump)
{
    std::ifstream file(dump.string() + ".json");
    const auto sidecar = nlohmann::json::parse(file);
    const bool gone = sidecar["extents_stale"] > 0;
    EXPECT_EQ(sidecar["result"], gone ? "partial" : "complete") << sidecar["remarks"];
    for (const char* nothing : {"regions_rejected", "regions_refused", "regions_not_described",
                                "regions_not_registered", "extents_not_listed", "extents_rejected"}) {
        EXPECT_EQ(sidecar[nothing], 0) << nothing;
    }
    const auto verified = support::run({support::required("KMD_KMDUMP"), "verify", "--json", dump.string()});
    EXPECT_EQ(verified.status, 0) << verified.output;
    EXPECT_EQ(nlohmann::json::parse(verified.output)["findings"], nlohmann::json::array()) << verified.output;
    std::cout << "    " << sidecar["extents_stale"] << " entries of the list were stale" << std::endl;
}

TEST(Soak, StockGuestsCrashOneAfterTheOtherAndEachDumpIsWhole)
{
    const unsigned guests = static_cast<unsigned>(std::stoul(support::required("KMD_SOAK_GUESTS")));
    for (unsigned i = 0; i < guests; ++i) {
        const Death& death = kDeaths[i % kDeaths.size()];
        boot::Guest guest(
            {.command_line = death.command_line + std::string(" kmd.churn=yes"),
             .properties = death.properties + (death.properties.empty() ? "" : ",") + "event=on"});
        if (death.host_asks) {
            guest.qmp().wait_event("DUMP_COMPLETED", std::chrono::minutes(3));
            guest.qmp().execute("qom-set",
                                {{"path", guest.controller()}, {"property", "dump"}, {"value", "hang"}});
            guest.qmp().execute("quit");
        }
        ASSERT_EQ(guest.wait_for_the_end(), 0) << guest.messages();
        ASSERT_EQ(guest.dumps().size(), death.host_asks ? 2u : 1u) << guest.messages();
        auto dump = guest.folder().path() / death.file;
        ASSERT_TRUE(std::filesystem::exists(dump)) << guest.messages();
        EXPECT_NE(guest.console().find("init: processes come and go"), std::string::npos);
        expect_whole_but_for_what_is_gone(dump);
        if (dump.extension() == ".zst") {
            ASSERT_EQ(support::run({"zstd", "-q", "-d", dump.string()}).status, 0);
            dump.replace_extension();
        }
        const auto core = support::ElfCore::read(dump);
        EXPECT_EQ(core.flags, 0u);
        const auto log = support::run({support::required("KMD_KMDUMP"), "log", dump.string()});
        EXPECT_EQ(log.status, 0) << log.output;
        EXPECT_NE(log.output.find(death.log), std::string::npos) << log.output;
        ASSERT_FALSE(HasFailure()) << "guest " << i + 1 << " of " << guests;
        std::cout << "guest " << i + 1 << " of " << guests << ": " << death.file << std::endl;
    }
}

} // namespace
