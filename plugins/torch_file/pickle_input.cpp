#include "plugins/torch_file/pickle_input.h"

#include <bit>
#include <charconv>

namespace ckptbridge::torch_file {

std::string_view PickleInput::take_text(std::uint64_t size) {
  const auto data = take(size);
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

std::string_view PickleInput::take_line() {
  const std::string_view rest(reinterpret_cast<const char*>(data_.data()) + position_,
                              data_.size() - position_);
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) fail("the pickle ends within a line of text");
  position_ += end + 1;
  return rest.substr(0, end);
}

std::uint64_t PickleInput::take_signed_size() {
  const auto size = std::bit_cast<std::int32_t>(take<std::uint32_t>());
  if (size < 0) fail("a size is negative: " + std::to_string(size));
  return static_cast<std::uint64_t>(size);
}

std::uint64_t PickleInput::take_index_line() {
  const std::string_view line = take_line();
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (error != std::errc() || end != line.data() + line.size())
    fail("a memo index is not a number");
  return index;
}

void PickleInput::fail(ckb_status code, const std::string& message) const {
  throw Error(code, name_ + ": byte " + std::to_string(opcode_position_) + ": " + message);
}

void PickleInput::fail_at_end(std::uint64_t size) const {
  fail("the pickle ends too soon: " + std::to_string(size) + " bytes are needed, " +
       std::to_string(data_.size() - position_) + " are left");
}

}  // namespace ckptbridge::torch_file
