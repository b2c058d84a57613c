// JSON to and from text. The only file that includes the library: its tokens, numbers and escapes
// are what a user's files and the outputs rely on.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/text/json.h"

namespace ckptbridge {
namespace {

using Library = nlohmann::json;
using TakeMember = std::function<void(std::string, Json)>;

constexpr std::size_t kMostDepth = 64;

std::string library_text(const Library& value, bool ascii = false) {
  return value.dump(-1, ' ', ascii, Library::error_handler_t::replace);
}

// Builds values from the library's events.
class Builder {
 public:
  Builder(const std::string& where, const JsonRules& rules, const TakeMember* take)
      : where_(where), rules_(rules), take_(take) {}

  // What the text holds, once all of it is read.
  Json result() { return std::move(open_.back().value); }

  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  // Strings are copied: the library fills the same one again, at less cost where it has kept its
  // memory.
  bool string(const std::string& text) {
    require_no_nul(text);
    return add(text);
  }
  bool binary(Library::binary_t&) { return false; }  // JSON has none

  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }

  bool key(const std::string& name) {
    require_no_nul(name);
    open_.emplace_back().name = name;
    return true;
  }

  bool end_array() {
    const auto first = begin_of(containers_.back());
    Json::Array values;
    values.reserve(static_cast<std::size_t>(open_.end() - first));
    for (auto element = first; element != open_.end(); ++element)
      values.push_back(std::move(element->value));
    return close(std::move(values));
  }

  bool end_object() {
    require_unique();
    const auto first = begin_of(containers_.back());
    return close(
        Json::Object(std::make_move_iterator(first), std::make_move_iterator(open_.end())));
  }

  bool parse_error(std::size_t, const std::string&, const Library::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
    std::string what = error.what();
    const auto end = what.find("] ");
    if (end != std::string::npos) what.erase(0, end + 2);
    throw Error(CKB_CORRUPT,
                fmt::format("{}not JSON: {}", where_.empty() ? "" : where_ + ": ", what));
  }

 private:
  struct Container {
    std::size_t begin;  // its members or elements are open_[begin] and those behind it
    bool is_object;
  };

  std::vector<JsonMember>::iterator begin_of(const Container& container) {
    return open_.begin() + static_cast<std::ptrdiff_t>(container.begin);
  }

  // The file, and the path of the value that has not ended: "FILE: tensors[3]: shape: PROBLEM".
  [[noreturn]] void refuse(const std::string& problem) const {
    std::string place = where_;
    for (std::size_t i = 1; i < containers_.size(); ++i) {
      const Container& parent = containers_[i - 1];
      const std::size_t begin = containers_[i].begin;
      if (parent.is_object) {
        place += (place.empty() ? "" : ": ") + open_[begin - 1].name;
      } else {
        place += fmt::format("[{}]", begin - parent.begin);
      }
    }
    throw Error(CKB_CORRUPT, place.empty() ? problem : place + ": " + problem);
  }

  void require_no_nul(const std::string& text) const {
    if (rules_.allow_nul || text.find('\0') == std::string::npos) return;
    refuse(fmt::format("the string {} contains a NUL", library_text(text, true)));
  }

  bool open(bool is_object) {
    if (containers_.size() == kMostDepth)
      refuse(fmt::format("is nested deeper than {}", kMostDepth));
    if (take_ != nullptr && containers_.empty() && !is_object) refuse_without_members("an array");
    containers_.push_back({open_.size(), is_object});
    return true;
  }

  bool close(Json value) {
    open_.erase(begin_of(containers_.back()), open_.end());
    containers_.pop_back();
    return add(std::move(value));
  }

  // Puts the value at its place: behind its name, or among the elements of an array.
  bool add(Json value) {
    if (containers_.empty() || !containers_.back().is_object) {
      open_.emplace_back().value = std::move(value);
    } else {
      open_.back().value = std::move(value);
    }
    if (take_ == nullptr) return true;
    if (containers_.empty() && !open_.back().value.is_object()) {
      refuse_without_members(open_.back().value.shown());
    }
    if (containers_.size() == 1) {
      (*take_)(std::move(open_.back().name), std::move(open_.back().value));
      open_.pop_back();
    }
    return true;
  }

  [[noreturn]] void refuse_without_members(const std::string& found) const {
    refuse("expected an object, found " + found);
  }

  // Of the members of the object that ends. Those given again take the place of the first.
  void require_unique() {
    const std::size_t begin = containers_.back().begin;
    names_.clear();
    for (std::size_t i = begin; i < open_.size(); ++i) names_.push_back(open_[i].name);
    std::sort(names_.begin(), names_.end());
    const auto repeated = std::adjacent_find(names_.begin(), names_.end());
    if (repeated == names_.end()) return;
    if (rules_.repeated == nullptr) {
      refuse(fmt::format("{}: is given twice", *repeated));
    }
    const auto first = begin_of(containers_.back());
    auto end = first;
    for (auto member = first; member != open_.end(); ++member) {
      const auto known =
          std::find_if(first, end, [&](const auto& other) { return other.name == member->name; });
      if (known != end) {
        rules_.repeated->push_back(member->name);
        known->value = std::move(member->value);
      } else {
        if (member != end) *end = std::move(*member);
        ++end;
      }
    }
    open_.erase(end, open_.end());
  }

  const std::string& where_;
  const JsonRules& rules_;
  const TakeMember* take_;
  std::vector<JsonMember>
      open_;  // members and elements of what has not ended; elements have no name
  std::vector<Container> containers_;
  std::vector<std::string_view> names_;  // for require_unique(), so that it allocates seldom
};

void write_string(const std::string& text, bool ascii, std::string& out) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (is_plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += library_text(text, ascii);
  }
}

void new_line(std::string& out, int indent, int depth) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent * depth), ' ');
}

}  // namespace

Json Json::parse(std::string_view text, const std::string& where, const JsonRules& rules) {
  Builder builder(where, rules, nullptr);
  Library::sax_parse(text.begin(), text.end(), &builder);
  return builder.result();
}

void Json::parse_members(std::string_view text, const std::string& where, const TakeMember& take,
                         const JsonRules& rules) {
  Builder builder(where, rules, &take);
  Library::sax_parse(text.begin(), text.end(), &builder);
}

std::string Json::dump(int indent, bool ascii) const {
  std::string out;
  write(out, indent, 0, ascii);
  return out;
}

void Json::write(std::string& out, int indent, int depth, bool ascii) const {
  const auto write_parts = [&](char open, const auto& parts, char close, const auto& write_part) {
    out += open;
    for (const auto& part : parts) {
      if (&part != &parts.front()) out += ',';
      new_line(out, indent, depth + 1);
      write_part(part);
    }
    if (!parts.empty()) new_line(out, indent, depth);
    out += close;
  };
  if (is_null()) {
    out += "null";
  } else if (const auto* truth = std::get_if<bool>(&value_)) {
    out += *truth ? "true" : "false";
  } else if (const auto* integer = std::get_if<std::int64_t>(&value_)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else if (const auto* large = std::get_if<std::uint64_t>(&value_)) {
    fmt::format_to(std::back_inserter(out), "{}", *large);
  } else if (const auto* number = std::get_if<double>(&value_)) {
    out += library_text(*number);
  } else if (const auto* text = std::get_if<std::string>(&value_)) {
    write_string(*text, ascii, out);
  } else if (is_array()) {
    write_parts('[', elements(), ']',
                [&](const Json& element) { element.write(out, indent, depth + 1, ascii); });
  } else {
    write_parts('{', items(), '}', [&](const JsonMember& member) {
      write_string(member.name, ascii, out);
      out += indent < 0 ? ":" : ": ";
      member.value.write(out, indent, depth + 1, ascii);
    });
  }
}

}  // namespace ckptbridge
