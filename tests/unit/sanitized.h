// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace kmd::test
{

/// Whether this build has AddressSanitizer, which takes several times the time and the memory: GCC says so
/// with a macro, clang with a feature.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

} // namespace kmd::test
