// A pickle is a program for a stack machine: each byte is an opcode, its argument follows.
//
//   values go on a stack; MARK notes its height, and TUPLE, APPENDS, SETITEMS ... take what is
//   above PUT and MEMOIZE note the value on top in the memo, GET pushes it again: shared values
//   GLOBAL names a class or function; REDUCE, NEWOBJ, BUILD would run it, and make an object here
//   STOP ends it; the value on top is the result
//
// Opcodes are those of Lib/pickletools.py (CPython 3.13); opcodes.h lists them with their
// arguments. The memory is bounded by the input: each opcode makes a bounded number of values,
// strings lie in the input, a memo index is less than the bytes read so far, and folding has a
// budget.
#include "plugins/torch_file/unpickler.h"

#include <bit>
#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/fold.h"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/names.h"
#include "plugins/torch_file/opcodes.h"
#include "plugins/torch_file/pickle_text.h"
#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {
namespace {

constexpr ValueId kNotMemoized = std::numeric_limits<ValueId>::max();
constexpr int kHighestProtocol = 5;

class Machine {
 public:
  Machine(Values& values, std::span<const std::byte> data, const std::string& name)
      : values_(values), data_(data), name_(name), folder_(values, data.size()) {}

  UnpickledValue run();

 private:
  [[noreturn]] void fail(const std::string& message) const { fail(CKB_CORRUPT, message); }
  [[noreturn]] void fail(ckb_status code, const std::string& message) const {
    throw Error(code, name_ + ": byte " + std::to_string(opcode_position_) + ": " + message);
  }

  void execute(Opcode opcode);

  // Arguments
  std::span<const std::byte> take(std::uint64_t size);
  template <class T>
  T take() {
    return load<T>(take(sizeof(T)));
  }
  std::string_view take_text(std::uint64_t size);
  std::string_view take_line();
  std::uint64_t take_signed_size();
  std::uint64_t take_index_line();

  // Stack and memo
  void push(ValueId id) { stack_.push_back(id); }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  ValueId pop();
  ValueId top() const;
  std::vector<ValueId> pop_mark();
  void pop_or_unmark();
  void put(std::uint64_t index);
  void get(std::uint64_t index);

  // What the opcodes do
  void push_protocol();
  void push_text(std::string_view utf8);
  void push_int_line();
  void push_decimal(std::string_view digits);
  void push_bytearray(std::span<const std::byte> data);
  void push_tuple(std::size_t size);
  void push_global(std::string_view module, std::string_view name);
  void push_call(ValueId callable, ValueId args);
  void push_new_object(ValueId callable, ValueId args, ValueId kwargs);
  void push_old_instance(ValueId callable, std::span<const ValueId> args);
  void stack_global();
  void obj();
  void build();
  void append_to(ValueId target, std::span<const ValueId> elements);
  void add_to(ValueId target, std::span<const ValueId> elements);
  void set_items(ValueId target, std::span<const ValueId> pairs);
  std::vector<Item> paired(std::span<const ValueId> pairs) const;
  void require_tuple(ValueId args) const;

  Values& values_;
  std::span<const std::byte> data_;
  const std::string& name_;
  Folder folder_;
  std::uint64_t position_ = 0;
  std::uint64_t opcode_position_ = 0;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;
  std::vector<ValueId> memo_;
};

UnpickledValue Machine::run() {
  for (;;) {
    opcode_position_ = position_;
    const auto opcode = take<std::uint8_t>();
    if (static_cast<Opcode>(opcode) == Opcode::kStop) return {pop(), position_};
    execute(static_cast<Opcode>(opcode));
  }
}

std::span<const std::byte> Machine::take(std::uint64_t size) {
  const std::uint64_t rest = data_.size() - position_;
  if (size > rest) {
    fail("the pickle ends too soon: " + std::to_string(size) + " bytes are needed, " +
         std::to_string(rest) + " are left");
  }
  const auto result = data_.subspan(position_, size);
  position_ += size;
  return result;
}

std::string_view Machine::take_text(std::uint64_t size) {
  const auto data = take(size);
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

std::string_view Machine::take_line() {
  const std::string_view rest(reinterpret_cast<const char*>(data_.data()) + position_,
                              data_.size() - position_);
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) fail("the pickle ends within a line of text");
  position_ += end + 1;
  return rest.substr(0, end);
}

std::uint64_t Machine::take_signed_size() {
  const auto size = std::bit_cast<std::int32_t>(take<std::uint32_t>());
  if (size < 0) fail("a size is negative: " + std::to_string(size));
  return static_cast<std::uint64_t>(size);
}

std::uint64_t Machine::take_index_line() {
  const std::string_view line = take_line();
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (error != std::errc() || end != line.data() + line.size()) fail("a memo index is no number");
  return index;
}

ValueId Machine::pop() {
  const ValueId id = top();
  stack_.pop_back();
  return id;
}

ValueId Machine::top() const {
  if (stack_.size() <= floor()) fail("the stack is empty where a value is needed");
  return stack_.back();
}

std::vector<ValueId> Machine::pop_mark() {
  if (marks_.empty()) fail("there is no mark on the stack where one is needed");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<ValueId> above(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return above;
}

void Machine::pop_or_unmark() {
  if (stack_.size() > floor()) {
    stack_.pop_back();
  } else if (!marks_.empty()) {
    marks_.pop_back();
  } else {
    fail("the stack is empty where a value is needed");
  }
}

void Machine::put(std::uint64_t index) {
  const ValueId id = top();
  if (index >= position_) {
    fail("memo index " + std::to_string(index) + " is higher than any pickle of this size needs");
  }
  if (index >= memo_.size()) memo_.resize(index + 1, kNotMemoized);
  memo_[index] = id;
}

void Machine::get(std::uint64_t index) {
  if (index >= memo_.size() || memo_[index] == kNotMemoized) {
    fail("memo index " + std::to_string(index) + " was never set");
  }
  push(memo_[index]);
}

void Machine::push_protocol() {
  const int protocol = take<std::uint8_t>();
  if (protocol > kHighestProtocol) {
    fail(CKB_UNSUPPORTED, "the pickle has protocol " + std::to_string(protocol) +
                              ", the highest "
                              "known is " +
                              std::to_string(kHighestProtocol));
  }
}

void Machine::push_text(std::string_view utf8) {
  if (!is_utf8_with_surrogates(utf8)) fail("a string is not valid UTF-8");
  push(values_.string(utf8));
}

void Machine::push_int_line() {
  const std::string_view line = take_line();
  if (line == "00" || line == "01") {
    push(Values::boolean(line == "01"));
  } else {
    push_decimal(line);
  }
}

void Machine::push_decimal(std::string_view digits) {
  const auto value = parse_decimal(digits);
  if (!value) fail("an integer is not a number of at most 4300 digits");
  push(values_.integer(*value));
}

void Machine::push_bytearray(std::span<const std::byte> data) {
  const ValueId callable = values_.global("builtins", "bytearray");
  push(values_.reduce(callable, values_.tuple({values_.bytes(data)})));
}

void Machine::push_tuple(std::size_t size) {
  if (stack_.size() - floor() < size) fail("the stack is empty where a value is needed");
  const ValueId id = values_.tuple(std::span(stack_).last(size));
  stack_.resize(stack_.size() - size);
  push(id);
}

void Machine::push_global(std::string_view module, std::string_view name) {
  if (!is_utf8_with_surrogates(module) || !is_utf8_with_surrogates(name)) {
    fail("a class has a name that is not valid UTF-8");
  }
  const OwnedName current = current_name(module, name);
  push(values_.global(current.module, current.name));
}

void Machine::require_tuple(ValueId args) const {
  if (values_.kind(args) != Kind::kTuple) fail("the arguments of a call are no tuple");
}

void Machine::push_call(ValueId callable, ValueId args) {
  require_tuple(args);
  const auto plain = folder_.fold(callable, args);
  push(plain ? *plain : values_.reduce(callable, args));
}

void Machine::push_new_object(ValueId callable, ValueId args, ValueId kwargs) {
  require_tuple(args);
  if (kwargs != Values::none() && values_.kind(kwargs) != Kind::kDict) {
    fail("the keyword arguments of a call are no dict");
  }
  push(values_.new_object(callable, args, kwargs));
}

// INST and OBJ call the class only when there are arguments (Lib/pickle.py, _instantiate).
void Machine::push_old_instance(ValueId callable, std::span<const ValueId> args) {
  if (args.empty()) {
    push_new_object(callable, Values::empty_tuple(), Values::none());
  } else {
    push_call(callable, values_.tuple(args));
  }
}

void Machine::stack_global() {
  const ValueId name = pop();
  const ValueId module = pop();
  const auto module_text = values_.as_string(module);
  const auto name_text = values_.as_string(name);
  if (!module_text || !name_text) fail("the name of a class is no string");
  push_global(*module_text, *name_text);
}

void Machine::obj() {
  const std::vector<ValueId> above = pop_mark();
  if (above.empty()) fail("there is no class where one is needed");
  push_old_instance(above[0], std::span(above).subspan(1));
}

void Machine::build() {
  const ValueId state = pop();
  if (values_.kind(top()) != Kind::kObject) fail("a state is given to what is no object");
  values_.set_state(top(), state);
}

void Machine::append_to(ValueId target, std::span<const ValueId> elements) {
  const Kind kind = values_.kind(target);
  if (kind != Kind::kList && kind != Kind::kObject)
    fail("elements are appended to what is no list");
  for (const ValueId element : elements) values_.append(target, element);
}

void Machine::add_to(ValueId target, std::span<const ValueId> elements) {
  if (values_.kind(target) != Kind::kSet) fail("elements are added to what is no set");
  for (const ValueId element : elements) values_.append(target, element);
}

std::vector<Item> Machine::paired(std::span<const ValueId> pairs) const {
  if (pairs.size() % 2 != 0) fail("a key of a dict has no value");
  std::vector<Item> items;
  items.reserve(pairs.size() / 2);
  for (std::size_t i = 0; i < pairs.size(); i += 2) items.push_back({pairs[i], pairs[i + 1]});
  return items;
}

void Machine::set_items(ValueId target, std::span<const ValueId> pairs) {
  const Kind kind = values_.kind(target);
  if (kind != Kind::kDict && kind != Kind::kObject) fail("items are set in what is no dict");
  for (const Item& item : paired(pairs)) values_.set_item(target, item.key, item.value);
}

void Machine::execute(Opcode opcode) {
  switch (opcode) {
    case Opcode::kNone:
      return push(Values::none());
    case Opcode::kNewTrue:
      return push(Values::boolean(true));
    case Opcode::kNewFalse:
      return push(Values::boolean(false));
    case Opcode::kInt:
      return push_int_line();
    case Opcode::kLong: {
      const std::string_view line = take_line();
      return push_decimal(line.substr(0, line.size() - (line.ends_with('L') ? 1 : 0)));
    }
    case Opcode::kBinInt:
      return push(values_.integer(std::bit_cast<std::int32_t>(take<std::uint32_t>())));
    case Opcode::kBinInt1:
      return push(values_.integer(take<std::uint8_t>()));
    case Opcode::kBinInt2:
      return push(values_.integer(take<std::uint16_t>()));
    case Opcode::kLong1:
      return push(values_.integer(take(take<std::uint8_t>())));
    case Opcode::kLong4:
      return push(values_.integer(take(take_signed_size())));
    case Opcode::kFloat: {
      const auto value = parse_float(take_line());
      if (!value) fail("a float is no number");
      return push(values_.real(*value));
    }
    case Opcode::kBinFloat: {
      std::uint64_t bits = 0;
      for (const std::byte byte : take(8))
        bits = (bits << 8) | std::to_integer<std::uint64_t>(byte);
      return push(values_.real(std::bit_cast<double>(bits)));
    }

    case Opcode::kString: {
      const auto text = parse_repr(take_line());
      if (!text) fail("a string is not quoted as Python does");
      return push_text(*text);
    }
    case Opcode::kUnicode: {
      const auto text = parse_raw_unicode_escape(take_line());
      if (!text) fail("a string has an escape that Python does not know");
      return push(values_.string(*text));
    }
    case Opcode::kBinString:
      return push_text(take_text(take_signed_size()));
    case Opcode::kShortBinString:
      return push_text(take_text(take<std::uint8_t>()));
    case Opcode::kBinUnicode:
      return push_text(take_text(take<std::uint32_t>()));
    case Opcode::kShortBinUnicode:
      return push_text(take_text(take<std::uint8_t>()));
    case Opcode::kBinUnicode8:
      return push_text(take_text(take<std::uint64_t>()));
    case Opcode::kBinBytes:
      return push(values_.bytes(take(take<std::uint32_t>())));
    case Opcode::kShortBinBytes:
      return push(values_.bytes(take(take<std::uint8_t>())));
    case Opcode::kBinBytes8:
      return push(values_.bytes(take(take<std::uint64_t>())));
    case Opcode::kByteArray8:
      return push_bytearray(take(take<std::uint64_t>()));

    case Opcode::kMark:
      return marks_.push_back(stack_.size());
    case Opcode::kEmptyTuple:
      return push(Values::empty_tuple());
    case Opcode::kTuple1:
      return push_tuple(1);
    case Opcode::kTuple2:
      return push_tuple(2);
    case Opcode::kTuple3:
      return push_tuple(3);
    case Opcode::kTuple:
      return push(values_.tuple(pop_mark()));
    case Opcode::kEmptyList:
      return push(values_.list());
    case Opcode::kList:
      return push(values_.list(pop_mark()));
    case Opcode::kAppend: {
      const ValueId element = pop();
      return append_to(top(), std::span(&element, 1));
    }
    case Opcode::kAppends: {
      const std::vector<ValueId> elements = pop_mark();
      return append_to(top(), elements);
    }
    case Opcode::kEmptyDict:
      return push(values_.dict());
    case Opcode::kDict:
      return push(values_.dict(paired(pop_mark())));
    case Opcode::kSetItem: {
      const ValueId value = pop();
      const ValueId pair[] = {pop(), value};
      return set_items(top(), pair);
    }
    case Opcode::kSetItems: {
      const std::vector<ValueId> pairs = pop_mark();
      return set_items(top(), pairs);
    }
    case Opcode::kEmptySet:
      return push(values_.set());
    case Opcode::kAddItems: {
      const std::vector<ValueId> elements = pop_mark();
      return add_to(top(), elements);
    }
    case Opcode::kFrozenSet:
      return push(values_.frozen_set(pop_mark()));

    case Opcode::kGlobal: {
      const std::string_view module = take_line();
      return push_global(module, take_line());
    }
    case Opcode::kStackGlobal:
      return stack_global();
    case Opcode::kReduce: {
      const ValueId args = pop();
      return push_call(pop(), args);
    }
    case Opcode::kNewObj: {
      const ValueId args = pop();
      return push_new_object(pop(), args, Values::none());
    }
    case Opcode::kNewObjEx: {
      const ValueId kwargs = pop();
      const ValueId args = pop();
      return push_new_object(pop(), args, kwargs);
    }
    case Opcode::kBuild:
      return build();
    case Opcode::kInst: {
      const std::string_view module = take_line();
      push_global(module, take_line());
      const ValueId callable = pop();
      return push_old_instance(callable, pop_mark());
    }
    case Opcode::kObj:
      return obj();
    case Opcode::kPersId: {
      push_text(take_line());
      return push(values_.persistent_id(pop()));
    }
    case Opcode::kBinPersId:
      return push(values_.persistent_id(pop()));

    case Opcode::kPop:
      return pop_or_unmark();
    case Opcode::kPopMark:
      return static_cast<void>(pop_mark());
    case Opcode::kDup:
      return push(top());
    case Opcode::kGet:
      return get(take_index_line());
    case Opcode::kBinGet:
      return get(take<std::uint8_t>());
    case Opcode::kLongBinGet:
      return get(take<std::uint32_t>());
    case Opcode::kPut:
      return put(take_index_line());
    case Opcode::kBinPut:
      return put(take<std::uint8_t>());
    case Opcode::kLongBinPut:
      return put(take<std::uint32_t>());
    case Opcode::kMemoize:
      return put(memo_.size());

    case Opcode::kProto:
      return push_protocol();
    case Opcode::kFrame:
      return static_cast<void>(take<std::uint64_t>());
    case Opcode::kExt1:
    case Opcode::kExt2:
    case Opcode::kExt4:
      fail(CKB_UNSUPPORTED,
           "a class is named by an extension code, which only the program that "
           "wrote the file can resolve");
    case Opcode::kNextBuffer:
    case Opcode::kReadonlyBuffer:
      fail(CKB_UNSUPPORTED, "some data was stored outside of the pickle");
    case Opcode::kStop:
      return;
  }
  fail("there is no opcode " + std::to_string(static_cast<int>(opcode)));
}

}  // namespace

UnpickledValue unpickle(Values& values, std::span<const std::byte> data, const std::string& name) {
  return Machine(values, data, name).run();
}

}  // namespace ckptbridge::torch_file
