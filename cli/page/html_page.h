// A page that stands alone: it loads nothing and runs nothing, wherever it is opened.
#pragma once

#include <string>
#include <string_view>

namespace ckptbridge::cli {

// What every page begins with.
inline constexpr std::string_view kPageMark = "<!DOCTYPE html>\n<!-- ckptbridge_page ";

// Text of any origin, names of tensors above all, as it may stand in an element or in a quoted
// attribute. What is not printable is escaped as printable() does.
std::string html_text(std::string_view text);

// The same in an element of its own, which keeps letters that run right to left inside.
std::string html_name(std::string_view name);

// The whole document, well-formed as XML too. body is HTML.
std::string html_page(std::string_view title, const std::string& body);

}  // namespace ckptbridge::cli
