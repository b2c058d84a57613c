#include "plugins/evo2/expression.h"

#include <cctype>

#include "ckptbridge/error.hpp"

namespace ckptbridge::evo2 {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 62;
constexpr int kMaxDepth = 32;

class Evaluator {
 public:
  Evaluator(std::string_view text, const Lookup& lookup, const std::string& where)
      : text_(text), lookup_(lookup), where_(where) {}

  std::uint64_t result() {
    const std::int64_t value = sum();
    if (next() != '\0') fail("is not an expression");
    if (value < 0) fail("is negative: " + std::to_string(value));
    return static_cast<std::uint64_t>(value);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(CKB_INVALID_ARGUMENT, where_ + ": \"" + std::string(text_) + "\" " + message);
  }

  std::int64_t checked(std::int64_t value, bool overflow) const {
    if (overflow || value > kMost || value < -kMost) fail("is too large");
    return value;
  }

  // The next character that is no blank; '\0' at the end.
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail("is not an expression");
  }

  std::int64_t sum() {
    std::int64_t value = product();
    for (;;) {
      std::int64_t out = 0;
      if (accept('+')) {
        const bool overflow = __builtin_add_overflow(value, product(), &out);
        value = checked(out, overflow);
      } else if (accept('-')) {
        const bool overflow = __builtin_sub_overflow(value, product(), &out);
        value = checked(out, overflow);
      } else {
        return value;
      }
    }
  }

  std::int64_t product() {
    std::int64_t value = factor();
    for (;;) {
      if (accept('*')) {
        std::int64_t out = 0;
        const bool overflow = __builtin_mul_overflow(value, factor(), &out);
        value = checked(out, overflow);
      } else if (accept('/')) {
        const std::int64_t divisor = factor();
        if (divisor == 0 || value % divisor != 0) {
          fail("has a remainder: " + std::to_string(value) + " / " + std::to_string(divisor));
        }
        value /= divisor;
      } else {
        return value;
      }
    }
  }

  std::int64_t factor() {
    if (++depth_ > kMaxDepth) fail("is nested too deeply");
    std::int64_t value = 0;
    const char first = next();
    if (accept('(')) {
      value = sum();
      expect(')');
    } else if (std::isdigit(static_cast<unsigned char>(first)) != 0) {
      value = number();
    } else {
      value = named();
    }
    --depth_;
    return value;
  }

  std::int64_t number() {
    std::int64_t value = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      if (value > kMost / 10) fail("is too large");
      value = value * 10 + (text_[at_++] - '0');
    }
    return value;
  }

  std::int64_t named() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      ++at_;
    }
    const std::string name(text_.substr(begin, at_ - begin));
    if (name.empty()) fail("is not an expression");
    if (name != "round_up") return lookup_(name);
    expect('(');
    const std::int64_t value = sum();
    expect(',');
    const std::int64_t multiple = sum();
    expect(')');
    if (value < 0 || multiple < 1) fail("rounds to a multiple of " + std::to_string(multiple));
    std::int64_t out = 0;
    const bool overflow =
        __builtin_mul_overflow(value / multiple + (value % multiple != 0 ? 1 : 0), multiple, &out);
    return checked(out, overflow);
  }

  std::string_view text_;
  const Lookup& lookup_;
  const std::string& where_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::uint64_t evaluate(std::string_view text, const Lookup& lookup, const std::string& where) {
  return Evaluator(text, lookup, where).result();
}

}  // namespace ckptbridge::evo2
