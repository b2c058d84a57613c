#include "plugins/torch_file/pickle_stack.h"

#include <limits>
#include <string>

namespace ckptbridge::torch_file {
namespace {

constexpr ValueId kNotMemoized = std::numeric_limits<ValueId>::max();

}  // namespace

void PickleStack::fail_empty() const { in_.fail("the stack is empty where a value is needed"); }

std::span<const ValueId> PickleStack::last(std::size_t count) const {
  if (stack_.size() - floor() < count) fail_empty();
  return std::span(stack_).last(count);
}

std::vector<ValueId> PickleStack::pop_mark() {
  if (marks_.empty()) in_.fail("there is no mark on the stack where one is needed");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<ValueId> above(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return above;
}

void PickleStack::pop_or_unmark() {
  if (stack_.size() > floor()) {
    stack_.pop_back();
  } else if (!marks_.empty()) {
    marks_.pop_back();
  } else {
    fail_empty();
  }
}

void PickleStack::put(std::uint64_t index) {
  const ValueId id = top();
  if (index >= in_.position()) {
    in_.fail("memo index " + std::to_string(index) +
             " is higher than any pickle of this size needs");
  }
  if (index >= memo_.size()) memo_.resize(index + 1, kNotMemoized);
  memo_[index] = id;
}

void PickleStack::get(std::uint64_t index) {
  if (index >= memo_.size() || memo_[index] == kNotMemoized) {
    in_.fail("memo index " + std::to_string(index) + " was never set");
  }
  push(memo_[index]);
}

}  // namespace ckptbridge::torch_file
