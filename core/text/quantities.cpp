#include "core/text/quantities.h"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/spelling.h"

namespace ckptbridge {

std::uint64_t parse_size(std::string_view text, std::string_view what) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array<Unit, 15> kUnits = {{{"", 1},
                                                   {"b", 1},
                                                   {"k", 1ull << 10},
                                                   {"kib", 1ull << 10},
                                                   {"kb", 1000},
                                                   {"m", 1ull << 20},
                                                   {"mib", 1ull << 20},
                                                   {"mb", 1000'000},
                                                   {"g", 1ull << 30},
                                                   {"gib", 1ull << 30},
                                                   {"gb", 1000'000'000},
                                                   {"t", 1ull << 40},
                                                   {"tib", 1ull << 40},
                                                   {"tb", 1000'000'000'000},
                                                   {"bytes", 1}}};
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem == std::errc()) {
    std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit.starts_with(' ')) unit.remove_prefix(1);
    const std::string lower = lower_case(unit);
    for (const Unit& known : kUnits) {
      if (known.name != lower) continue;
      if (number > std::numeric_limits<std::uint64_t>::max() / known.bytes) break;
      return number * known.bytes;
    }
  }
  throw Error(CKB_INVALID_ARGUMENT, fmt::format("{}: \"{}\" is not a size", what, text),
              {.hint = "write bytes, or a number and a unit such as 128MiB or 2GB"});
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB",
                                                             "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string counted(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count_text(count), one, count == 1 ? "" : "s");
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

}  // namespace ckptbridge
