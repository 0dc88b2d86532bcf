// SPDX-License-Identifier: GPL-2.0-or-later
//
// Prints the page of a hostile report, for the test that opens it in a browser.
#include "hostile_report.h"

#include <iostream>

int main()
{
    kmdump::write_page(kmdump_test::hostile_report(), std::cout);
}
