#include "cli/progress.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ckptbridge/error.hpp"
#include "core/words.h"

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
              fmt::format("--progress: \"{}\" is none of auto, json, none{}", word,
                          did_you_mean(word, {"auto", "json", "none"})));
}

ProgressPrinter::ProgressPrinter(ProgressStyle style, std::function<void(std::string_view)> write,
                                 std::function<double()> seconds)
    : style_(style), write_(std::move(write)), seconds_(std::move(seconds)) {}

void ProgressPrinter::update(const std::string& stage, std::uint64_t done, std::uint64_t total) {
  if (style_ == ProgressStyle::kNone) return;
  const double now = seconds_();
  if (stage != stage_) {
    clear();
    stage_ = stage;
    began_ = now;
    printed_ = now;
  }
  done_ = done;
  total_ = total;
  // A program is told the end of each stage; a person sees what follows it.
  const bool is_end = style_ == ProgressStyle::kJson && done == total;
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
  return static_cast<std::uint64_t>(static_cast<double>(done_) / seconds);
}

std::string ProgressPrinter::bar(double now) const {
  constexpr unsigned kWidth = 24;
  const unsigned filled = percent(done_, total_) * kWidth / 100;
  const auto speed = std::max<std::uint64_t>(rate(now), 1);
  return fmt::format("\r{} [{:#<{}}{:.<{}}] {:3} %  {} of {}  {}/s  {} left\x1b[K", stage_, "",
                     filled, "", kWidth - filled, percent(done_, total_), size_text(done_),
                     size_text(total_), size_text(speed),
                     time_text((total_ - std::min(done_, total_)) / speed));
}

std::string ProgressPrinter::line(double now) const {
  return fmt::format("{}: {} %, {} of {}, {}/s\n", stage_, percent(done_, total_), size_text(done_),
                     size_text(total_), size_text(rate(now)));
}

std::string ProgressPrinter::json(double now) const {
  const nlohmann::ordered_json line = {
      {"stage", stage_}, {"done", done_}, {"total", total_}, {"seconds", now - began_}};
  return line.dump() + "\n";
}

}  // namespace ckptbridge::cli
