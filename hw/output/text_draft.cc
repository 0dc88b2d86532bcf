// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/text_draft.h"

#include "hw/output/disk_order.h"

#include <unistd.h>

#include <span>

namespace kmd
{

namespace
{

constexpr const char* kReplacedByOther = "another writer removed or replaced the dump";

} // namespace

Result<TextDraft> TextDraft::write(int folder, const std::string& name, const std::string& text,
                                   Existing existing)
{
    const std::string incomplete = name + kIncompleteSuffix;
    if (existing == Existing::kReplace) {
        ::unlinkat(folder, incomplete.c_str(), 0);
    }
    TextDraft draft(folder, name, existing, create_file(folder, incomplete));
    if (!draft.fd_) {
        return Error{os_error()};
    }
    const auto bytes = std::as_bytes(std::span(text));
    FileBytes file(draft.fd_.get());
    if (auto failure = file.write(Pieces(&bytes, 1))) {
        return Error{*failure};
    }
    start_writing(draft.fd_.get());
    return draft;
}

TextDraft::~TextDraft()
{
    if (fd_ && is_name_of(folder_, draft_name(), fd_.get())) {
        ::unlinkat(folder_, draft_name().c_str(), 0);
    }
}

std::optional<std::string> TextDraft::order_before_names() const
{
    return kmd::order_before_names(fd_.get());
}

std::optional<std::string> TextDraft::publish(const std::function<bool()>& wanted)
{
    if (!wanted() || !is_name_of(folder_, draft_name(), fd_.get())) {
        return kReplacedByOther;
    }
    if (!rename_in(folder_, draft_name(), name_, existing_)) {
        return os_error();
    }
    const Descriptor fd = std::move(fd_);
    if (!wanted() && is_name_of(folder_, name_, fd.get())) {
        ::unlinkat(folder_, name_.c_str(), 0);
        return kReplacedByOther;
    }
    return std::nullopt;
}

std::string TextDraft::draft_name() const
{
    return name_ + kIncompleteSuffix;
}

} // namespace kmd
