// Whether a page is well-formed as XML: each tag is closed in its place, attributes are quoted, and
// < and & stand for nothing but tags and entities.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ckptbridge {

// What is wrong first, with what stands there; "": nothing is.
inline std::string ill_formed(std::string_view page) {
  std::vector<std::string> open;
  std::size_t i = 0;
  const auto wrong = [&](const std::string& what) {
    return what + ": " + std::string(page.substr(i, 80));
  };
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == ':';
  };
  const auto entity_end = [&](std::size_t at) {
    for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (page.substr(at).starts_with(known)) return at + known.size();
    }
    return std::string_view::npos;
  };
  while (i < page.size()) {
    if (page[i] == '&') {
      const std::size_t end = entity_end(i);
      if (end == std::string_view::npos) return wrong("no entity");
      i = end;
    } else if (page[i] != '<') {
      if (page[i] == '>' && (open.empty() || open.back() != "style")) return wrong("a bare >");
      ++i;
    } else if (page.substr(i).starts_with("<!")) {
      i = page.find('>', i);
      if (i == std::string_view::npos) return "an open <!";
      ++i;
    } else {
      const bool closes = page.substr(i).starts_with("</");
      std::size_t at = i + (closes ? 2 : 1);
      std::string name;
      while (at < page.size() && is_name(page[at])) name += page[at++];
      if (name.empty()) return wrong("a bare <");
      while (at < page.size() && page[at] == ' ') {
        ++at;
        while (at < page.size() && is_name(page[at])) ++at;
        if (!page.substr(at).starts_with("=\"")) return wrong("an attribute without a value");
        for (at += 2; at < page.size() && page[at] != '"';) {
          if (page[at] == '<') return wrong("a < in an attribute");
          const std::size_t end = page[at] == '&' ? entity_end(at) : at + 1;
          if (end == std::string_view::npos) return wrong("no entity");
          at = end;
        }
        ++at;
      }
      const bool is_empty = page.substr(at).starts_with("/>");
      if (is_empty) ++at;
      if (at >= page.size() || page[at] != '>') return wrong("a tag without an end");
      if (closes) {
        if (open.empty() || open.back() != name) return wrong("closed out of place");
        open.pop_back();
      } else if (!is_empty) {
        open.push_back(name);
      }
      i = at + 1;
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

}  // namespace ckptbridge
