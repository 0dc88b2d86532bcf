// SPDX-License-Identifier: GPL-2.0-or-later
//
// A format=qcom folder as a tool for such minidumps reads it, from the layout in docs/outputs.md.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace kmd::test
{

class QcomFolder
{
  public:
    struct Entry {
        std::string name;
        std::uint32_t number = 0;
        std::uint32_t valid = 0;
        std::uint64_t address = 0;
        std::uint64_t size = 0;
    };

    explicit QcomFolder(const std::filesystem::path& folder)
    {
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            std::ifstream in(entry.path(), std::ios::binary);
            files[entry.path().filename().string()] = {std::istreambuf_iterator<char>(in), {}};
        }
        toc = files.at("md_toc.bin");
        status = number<std::uint32_t>(0);
        for (std::uint32_t i = 0; i < number<std::uint32_t>(16 + 16); ++i) {
            const std::uint64_t at = number<std::uint64_t>(16 + 24) + 40 * i;
            Entry entry;
            const std::string name = toc.substr(at, 16);
            entry.name = name.substr(0, name.find('\0'));
            entry.number = number<std::uint32_t>(at + 16);
            entry.valid = number<std::uint32_t>(at + 20);
            entry.address = number<std::uint64_t>(at + 24);
            entry.size = number<std::uint64_t>(at + 32);
            entries.push_back(entry);
        }
    }

    template <class T> T number(std::size_t at) const
    {
        T value = 0;
        std::memcpy(&value, toc.substr(at, sizeof(T)).data(), sizeof(T));
        return value;
    }

    const std::string& file_of(const Entry& entry) const
    {
        return files.at("md_" + entry.name + std::to_string(entry.number) + ".BIN");
    }

    /// The core image that a person puts together with `cat`: header, vmcoreinfo, then the regions in the
    /// order of the program headers; missing ones are zeros.
    std::string assemble() const
    {
        std::string image;
        for (const char* name : {"KELF", "Kvmcorein"}) {
            for (const Entry& entry : entries) {
                image += entry.name == name ? file_of(entry) : "";
            }
        }
        Elf64_Ehdr elf;
        std::memcpy(&elf, image.data(), sizeof(elf));
        for (unsigned i = 1; i < elf.e_phnum; ++i) {
            Elf64_Phdr load;
            std::memcpy(&load, image.data() + elf.e_phoff + i * sizeof(load), sizeof(load));
            if (load.p_offset < image.size()) {
                throw std::runtime_error("program headers overlap");
            }
            image.resize(load.p_offset);
            for (const Entry& entry : entries) {
                image += entry.address == load.p_paddr && entry.size == load.p_filesz ? file_of(entry) : "";
            }
            image.resize(load.p_offset + load.p_filesz);
        }
        return image;
    }

    std::map<std::string, std::string> files;
    std::string toc;
    std::uint32_t status = 0;
    std::vector<Entry> entries;
};

} // namespace kmd::test
