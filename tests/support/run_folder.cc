// SPDX-License-Identifier: GPL-2.0-or-later
#include "run_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace support
{

namespace fs = std::filesystem;

RunFolder::RunFolder()
{
    std::string name = (fs::temp_directory_path() / "kmemdump-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("cannot make a folder in " + fs::temp_directory_path().string());
    }
    path_ = name;
}

RunFolder::~RunFolder()
{
    if (testing::UnitTest::GetInstance()->Failed()) {
        std::cerr << "what the failed test left behind: " << path_.string() << "\n";
        return;
    }
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string RunFolder::read(const std::string& name) const
{
    std::ifstream in(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> dumps_in(const fs::path& folder)
{
    std::vector<fs::path> dumps;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().starts_with("kmemdump-") &&
            entry.path().extension() != ".json") {
            dumps.push_back(entry.path());
        }
    }
    std::sort(dumps.begin(), dumps.end());
    return dumps;
}

} // namespace support
