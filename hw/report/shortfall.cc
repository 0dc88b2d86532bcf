// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/report/shortfall.h"

namespace kmd
{

std::string describe_shortfall(const Shortfall& shortfall)
{
    std::string text;
    const auto count = [&](std::uint64_t number, const char* what) {
        if (number > 0) {
            text += ", " + std::to_string(number) + " " + what;
        }
    };
    count(shortfall.regions_rejected, "regions rejected");
    count(shortfall.regions_refused, "regions refused");
    count(shortfall.regions_not_described, "regions not in the guest's header");
    count(shortfall.regions_not_registered, "regions not registered");
    count(shortfall.extents_not_listed, "extents not listed");
    count(shortfall.extents_rejected, "listed extents not RAM");
    count(shortfall.extents_stale, "listed extents not mapped any more");
    text += shortfall.list_cut ? ", the list is cut" : "";
    text += shortfall.tables_cut ? ", the page tables are cut" : "";
    text += shortfall.vmcoreinfo_lost ? ", vmcoreinfo is lost" : "";
    count(shortfall.kernel_pieces_missing, "pieces of the kernel missing");
    count(shortfall.kernel_lists_broken, "lists of the kernel broken");
    count(shortfall.kernel_pages_left_out, "pages of the kernel left out");
    text += shortfall.kernel_search_cut ? ", the search in the kernel was ended" : "";
    count(shortfall.cpus_of_another_kernel.size(), "CPUs run another kernel");
    return text;
}

} // namespace kmd
