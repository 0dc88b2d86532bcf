// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/dump.h"

#include <utility>

namespace kmdump
{

kmd::Result<Dump> open_dump(const std::string& path)
{
    auto core = CoreFile::open(path);
    if (!core) {
        return core.error();
    }
    const std::string& note = core.value().summary().vmcoreinfo;
    if (note.empty()) {
        return kmd::Error{"expected a VMCOREINFO note, found none: the guest did not give one to the host"};
    }
    kmd::Vmcoreinfo vmcoreinfo(note);
    return Dump{std::move(core.value()), std::move(vmcoreinfo)};
}

} // namespace kmdump
