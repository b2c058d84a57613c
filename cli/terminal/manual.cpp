#include "cli/terminal/manual.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "cli/version.h"

namespace ckptbridge::cli {
namespace {

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Up to the first full stop, as the one line of NAME wants it.
std::string first_sentence(const std::string& text) { return text.substr(0, text.find(". ")); }

// Returns text as it stands in a manual page, where no character of text is taken for a command.
std::string manual_text(std::string_view text) {
  std::string result;
  bool at_line_start = true;
  for (const char c : text) {
    if (at_line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    at_line_start = c == '\n';
  }
  return result;
}

std::string entry_text(const HelpEntry& entry) {
  std::string names;
  for (const std::string& name : entry.names) {
    names += (names.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", manual_text(name));
  }
  const std::string value =
      entry.value_name.empty() ? "" : fmt::format(" \\fI{}\\fR", manual_text(entry.value_name));
  return fmt::format(".TP\n{}{}\n{}\n", names, value, manual_text(entry.help));
}

}  // namespace

std::string manual_page(const HelpPage& page) {
  std::string summary = first_sentence(page.summary);
  while (summary.ends_with('.')) summary.pop_back();
  std::string text = fmt::format(
      ".TH {} 1 \"\" \"ckptbridge {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n"
      ".B {}\n.SH DESCRIPTION\n{}\n",
      upper_case(page.name), kVersion, manual_text(page.name), manual_text(summary),
      manual_text(page.usage), manual_text(page.summary));
  std::string heading;
  for (const HelpEntry& entry : page.entries) {
    const std::string wanted = entry.is_positional ? "Arguments" : entry.heading;
    if (wanted != heading) {
      heading = wanted;
      text += fmt::format(".SH {}\n", upper_case(heading));
    }
    text += entry_text(entry);
  }
  if (page.name != "ckptbridge") text += ".SH SEE ALSO\n.BR ckptbridge (1)\n";
  return text;
}

std::string completion_words(const HelpPage& page) {
  std::string text;
  for (const HelpEntry& entry : page.entries) {
    if (entry.is_positional) continue;
    for (const std::string& name : entry.names) {
      const std::string value = entry.value_name.empty() ? "-" : entry.value_name;
      text += fmt::format("{}\t{}\t{}\n", name, value, entry.help);
    }
  }
  return text;
}

}  // namespace ckptbridge::cli
