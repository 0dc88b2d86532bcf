// SPDX-License-Identifier: GPL-2.0-or-later
//
// A stock guest without a driver reboots again and again, in an orderly way: that is no crash.
// KMD_SOAK_REBOOTS says how often.
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>

namespace
{

TEST(Soak, OrderlyRebootsLeaveNoDump)
{
    const unsigned reboots = static_cast<unsigned>(std::stoul(support::required("KMD_SOAK_REBOOTS")));
    // The last -action counts.
    boot::Guest guest({.command_line = "kmd.load=none kmd.do=reboot", .qemu = {"-action", "reboot=reset"}});
    for (unsigned i = 0; i < reboots;) {
        const auto event = guest.qmp().wait_event("RESET", std::chrono::minutes(4));
        // Not the reset at the start, which is the host's.
        if (event["data"]["guest"] == true) {
            ++i;
            ASSERT_TRUE(guest.dumps().empty()) << "reboot " << i << ": " << guest.messages();
            std::cout << "guest rebooted, " << i << " of " << reboots << std::endl;
        }
    }
    EXPECT_EQ(guest.messages(), "");
    // The kernel did end in an orderly way each time.
    std::size_t orderly = 0;
    const std::string console = guest.console();
    constexpr const char* kLine = "reboot: Restarting system";
    for (auto at = console.find(kLine); at != std::string::npos; at = console.find(kLine, at + 1)) {
        ++orderly;
    }
    EXPECT_GE(orderly, reboots);
    guest.qmp().execute("quit");
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_TRUE(guest.dumps().empty());
}

} // namespace
