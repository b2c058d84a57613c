#include "cli/terminal/progress.h"

#include <algorithm>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/json.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"
#include "core/text/spelling.h"

namespace ckptbridge::cli {
namespace {

// Seconds between two prints.
double interval(ProgressStyle style) {
  switch (style) {
    case ProgressStyle::kBar:
      return 0.1;
    case ProgressStyle::kJson:
      return 1;
    case ProgressStyle::kLines:
    case ProgressStyle::kNone:
      break;
  }
  return 10;
}

unsigned percent(std::uint64_t done, std::uint64_t total) {
  if (total == 0) return 100;
  return static_cast<unsigned>(100 * (static_cast<double>(done) / static_cast<double>(total)));
}

std::string time_text(std::uint64_t seconds) {
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace

ProgressStyle parse_progress(const std::string& word, bool is_terminal) {
  if (word == "auto") return is_terminal ? ProgressStyle::kBar : ProgressStyle::kLines;
  if (word == "json") return ProgressStyle::kJson;
  if (word == "none") return ProgressStyle::kNone;
  throw Error(CKB_INVALID_ARGUMENT,
              fmt::format("--progress: \"{}\" is none of auto, json, none", word),
              {.hint = suggestion(word, {"auto", "json", "none"})});
}

ProgressPrinter::ProgressPrinter(ProgressStyle style, std::function<void(std::string_view)> write,
                                 std::function<double()> seconds)
    : style_(style), write_(std::move(write)), seconds_(std::move(seconds)) {}

void ProgressPrinter::update(const Progress& progress, unsigned columns) {
  if (style_ == ProgressStyle::kNone) return;
  const double now = seconds_();
  if (progress.stage != last_.stage) {
    clear();
    began_ = now;
    printed_ = now;
  }
  last_ = progress;
  columns_ = columns;
  // A program is told the end of each stage; a person sees what follows it.
  const bool is_end = style_ == ProgressStyle::kJson && progress.done == progress.total;
  if (is_end || now - printed_ >= interval(style_)) print(now);
}

void ProgressPrinter::clear() {
  if (bar_is_shown_) write_("\r\x1b[K");
  bar_is_shown_ = false;
}

void ProgressPrinter::print(double now) {
  printed_ = now;
  if (style_ == ProgressStyle::kBar) {
    write_(bar(now));
    bar_is_shown_ = true;
  } else {
    write_(style_ == ProgressStyle::kJson ? json(now) : line(now));
  }
}

std::uint64_t ProgressPrinter::rate(double now) const {
  const double seconds = std::max(now - began_, 1e-3);
  return static_cast<std::uint64_t>(static_cast<double>(last_.done) / seconds);
}

// What a narrow terminal has no room for is left out, the tensor first, the bar itself next.
std::string ProgressPrinter::bar(double now) const {
  constexpr unsigned kWidth = 24;
  const auto& [stage, done, total, tensor] = last_;
  const unsigned part = percent(done, total);
  const unsigned filled = part * kWidth / 100;
  const auto speed = std::max<std::uint64_t>(rate(now), 1);
  const std::string head =
      fmt::format("{} [{:#<{}}{:.<{}}] ", stage, "", filled, "", kWidth - filled);
  const std::string facts =
      fmt::format("{:3} %  {} of {}  {}/s  {} left", part, size_text(done), size_text(total),
                  size_text(speed), time_text((total - std::min(done, total)) / speed));
  const std::size_t room = columns_ == 0 ? std::string::npos : columns_ - 1;  // else it may wrap
  std::string text = head + facts;
  if (text.size() > room) text = fmt::format("{} {}", stage, facts);
  if (text.size() > room) text.resize(room);
  const std::string name = printable(tensor);
  if (!name.empty() && columns_ != 0 && text.size() + 2 + name.size() <= room) text += "  " + name;
  return "\r" + text + "\x1b[K";
}

std::string ProgressPrinter::line(double now) const {
  return fmt::format("{}: {} %, {} of {}, {}/s\n", last_.stage, percent(last_.done, last_.total),
                     size_text(last_.done), size_text(last_.total), size_text(rate(now)));
}

std::string ProgressPrinter::json(double now) const {
  Json line = {{"stage", last_.stage},
               {"done", last_.done},
               {"total", last_.total},
               {"seconds", now - began_}};
  if (!last_.tensor.empty()) line["tensor"] = last_.tensor;
  return line.dump() + "\n";
}

}  // namespace ckptbridge::cli
