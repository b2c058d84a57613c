// The stack and the memo of the unpickler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plugins/torch_file/pickle_input.h"
#include "plugins/torch_file/value.h"

namespace ckptbridge::torch_file {

// Each function throws CORRUPT, through the input, where the stack or the memo lacks what the
// function needs. Values below the last mark cannot be taken.
class PickleStack {
 public:
  explicit PickleStack(const PickleInput& in) : in_(in) {}

  void push(ValueId id) { stack_.push_back(id); }
  ValueId top() const {
    if (stack_.size() <= floor()) fail_empty();
    return stack_.back();
  }
  ValueId pop() {
    const ValueId id = top();
    stack_.pop_back();
    return id;
  }
  // The count values on top, the topmost last. Valid until the stack changes.
  std::span<const ValueId> last(std::size_t count) const;
  void drop(std::size_t count) { stack_.resize(stack_.size() - count); }

  void mark() { marks_.push_back(stack_.size()); }
  // Takes the last mark and the values above it, and returns the values.
  std::vector<ValueId> pop_mark();
  // Takes the value on top, or, where there is none, the last mark.
  void pop_or_unmark();

  // Notes the value on top in the memo. An index must be less than the number of bytes read so far:
  // no saver needs more, and the memo cannot outgrow the input.
  void put(std::uint64_t index);
  void memoize() { put(memo_.size()); }
  // Pushes a value of the memo.
  void get(std::uint64_t index);

 private:
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  [[noreturn]] void fail_empty() const;

  const PickleInput& in_;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;
  std::vector<ValueId> memo_;
};

}  // namespace ckptbridge::torch_file
