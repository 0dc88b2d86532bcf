// SPDX-License-Identifier: GPL-2.0-or-later
//
// One incident, one dump: section 7 of docs/register-spec.md and docs/triggers.md, for each order in which
// things can happen to a guest.
#include "hw/controller/incident.h"

#include <gtest/gtest.h>

namespace
{

using kmd::Incident;

constexpr kmd_reason kAsked[] = {KMD_REASON_REQUEST, KMD_REASON_HOST, KMD_REASON_HANG};
constexpr kmd_reason kEnds[] = {KMD_REASON_PANIC, KMD_REASON_RESET, KMD_REASON_SHUTDOWN};

Incident after(kmd_reason reason)
{
    Incident incident;
    incident.dumped(reason);
    return incident;
}

TEST(Incident, ThatHasNoDumpYetTakesOneWhateverHappens)
{
    for (const auto reason : kAsked) {
        EXPECT_TRUE(Incident().takes_dump(reason)) << reason;
    }
    for (const auto reason : kEnds) {
        EXPECT_TRUE(Incident().takes_dump(reason)) << reason;
    }
}

TEST(Incident, ThatIsOnFileTakesNoOtherDumpHoweverItGoesOn)
{
    for (const auto first : kEnds) {
        for (const auto second : kEnds) {
            EXPECT_FALSE(after(first).takes_dump(second)) << first << " then " << second;
        }
    }
}

TEST(Incident, NeverRefusesWhatSomebodyAskedFor)
{
    for (const auto first : kEnds) {
        for (const auto asked : kAsked) {
            EXPECT_TRUE(after(first).takes_dump(asked)) << first << " then " << asked;
        }
    }
}

TEST(Incident, IsNotMadeByARequest)
{
    for (const auto asked : {KMD_REASON_REQUEST, KMD_REASON_HOST}) {
        for (const auto reason : kEnds) {
            EXPECT_TRUE(after(asked).takes_dump(reason)) << asked << " then " << reason;
        }
    }
}

TEST(Incident, OfAHangIsEndedByAResetButNotByAPanicOfTheGuest)
{
    Incident incident = after(KMD_REASON_HANG);
    EXPECT_FALSE(incident.takes_dump(KMD_REASON_RESET));
    EXPECT_FALSE(incident.takes_dump(KMD_REASON_SHUTDOWN));
    EXPECT_TRUE(incident.takes_dump(KMD_REASON_PANIC)) << "the guest was not dead after all";
    incident.dumped(KMD_REASON_PANIC);
    EXPECT_FALSE(incident.takes_dump(KMD_REASON_PANIC));
    incident.dumped(KMD_REASON_HANG);
    EXPECT_FALSE(incident.takes_dump(KMD_REASON_PANIC)) << "the panic stays the cause";
}

TEST(Incident, EndsWithTheMachine)
{
    Incident incident = after(KMD_REASON_PANIC);
    incident.end();
    EXPECT_TRUE(incident.takes_dump(KMD_REASON_PANIC));
    EXPECT_TRUE(incident.takes_dump(KMD_REASON_RESET));
}

TEST(Incident, GoesToAnotherHostAsANumber)
{
    for (const auto reason : {KMD_REASON_REQUEST, KMD_REASON_HANG, KMD_REASON_PANIC}) {
        const Incident from = after(reason);
        ASSERT_LT(from.state(), Incident::kStates);
        Incident to;
        to.restore(from.state());
        for (const auto next : kEnds) {
            EXPECT_EQ(to.takes_dump(next), from.takes_dump(next)) << reason << " then " << next;
        }
    }
}

} // namespace
