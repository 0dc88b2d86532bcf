// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any text beside a good dump, as its sidecar.
#include "fuzzed_dump.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace
{

/// A folder with a dump, in memory if there is such a place.
class Folder
{
  public:
    Folder()
    {
        std::string name =
            (std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/kmdump-fuzz-XXXXXX");
        fuzzed::require(::mkdtemp(name.data()) != nullptr, "there is room for a folder");
        name_ = name;
        const auto dump = fuzzed::good_dump();
        std::ofstream(path(), std::ios::binary)
            .write(reinterpret_cast<const char*>(dump.data()), static_cast<std::streamsize>(dump.size()));
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(name_); }

    std::string path() const { return name_ + "/dump"; }

  private:
    std::string name_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    static const Folder folder;
    static const std::string path = folder.path();
    std::ofstream(path + ".json", std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    for (const char* command : {"info", "regions", "verify"}) {
        fuzzed::run_command({command, path.c_str()});
    }
    fuzzed::run_command({"info", path.c_str(), "--json"});
    fuzzed::run_command({"diff", path.c_str(), path.c_str()});
    return 0;
}
