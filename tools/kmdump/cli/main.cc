// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cli.h"

#include <iostream>

int main(int argc, char** argv)
{
    return kmdump::run(argc, argv, std::cout, std::cerr, kmdump::Style::of_standard_output());
}
