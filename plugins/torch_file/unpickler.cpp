// A pickle is a program for a stack machine. Each byte is an opcode; the opcode's argument follows.
//
//   values           go on a stack; pickle_stack.h holds the stack and the memo
//   MARK             notes the height of the stack
//   TUPLE, LIST, DICT, FROZENSET
//                    take the values above the mark and push one value made of them
//   APPENDS, ADDITEMS, SETITEMS
//                    take the values above the mark and add them to the value below
//   PUT, MEMOIZE     note the value on top in the memo
//   GET              pushes a value of the memo again: two uses of one value stay one value
//   GLOBAL           pushes the name of a class or function
//   REDUCE, NEWOBJ, INST, OBJ
//                    call a class or function in Python; here they push an object that says so
//   BUILD            sets the state of an object in Python; here it notes the state
//   STOP             ends the program; the value on top is the result
//
// opcodes.h lists the opcodes with their arguments, after Lib/pickletools.py of CPython 3.13.
// The memory is bounded by the input: an opcode makes at most four values, strings lie in the
// input, a memo index is less than the number of bytes read so far, and folding has a budget.
#include "plugins/torch_file/unpickler.h"

#include <bit>
#include <string_view>
#include <vector>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/fold.h"
#include "plugins/torch_file/names.h"
#include "plugins/torch_file/opcodes.h"
#include "plugins/torch_file/pickle_input.h"
#include "plugins/torch_file/pickle_stack.h"
#include "plugins/torch_file/pickle_text.h"
#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {
namespace {

constexpr int kHighestProtocol = 5;

class Machine {
 public:
  Machine(Values& values, std::span<const std::byte> data, const std::string& name)
      : values_(values), in_(data, name), stack_(in_), folder_(values, data.size()) {}

  UnpickledValue run();

 private:
  void execute(Opcode opcode);

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
  PickleInput in_;
  PickleStack stack_;
  Folder folder_;
};

UnpickledValue Machine::run() {
  for (;;) {
    const Opcode opcode = in_.take_opcode();
    if (opcode == Opcode::kStop) return {stack_.pop(), in_.position()};
    execute(opcode);
  }
}

void Machine::push_protocol() {
  const int protocol = in_.take<std::uint8_t>();
  if (protocol > kHighestProtocol) {
    in_.fail(CKB_UNSUPPORTED, "the pickle has protocol " + std::to_string(protocol) +
                                  ", the highest "
                                  "known is " +
                                  std::to_string(kHighestProtocol));
  }
}

void Machine::push_text(std::string_view utf8) {
  if (!is_utf8_with_surrogates(utf8)) in_.fail("a string is not valid UTF-8");
  stack_.push(values_.string(utf8));
}

void Machine::push_int_line() {
  const std::string_view line = in_.take_line();
  if (line == "00" || line == "01") {
    stack_.push(Values::boolean(line == "01"));
  } else {
    push_decimal(line);
  }
}

void Machine::push_decimal(std::string_view digits) {
  const auto value = parse_decimal(digits);
  if (!value) in_.fail("an integer is not a number of at most 4300 digits");
  stack_.push(values_.integer(*value));
}

void Machine::push_bytearray(std::span<const std::byte> data) {
  const ValueId callable = values_.global("builtins", "bytearray");
  stack_.push(values_.reduce(callable, values_.tuple({values_.bytes(data)})));
}

void Machine::push_tuple(std::size_t size) {
  const ValueId id = values_.tuple(stack_.last(size));
  stack_.drop(size);
  stack_.push(id);
}

void Machine::push_global(std::string_view module, std::string_view name) {
  if (!is_utf8_with_surrogates(module) || !is_utf8_with_surrogates(name)) {
    in_.fail("a class has a name that is not valid UTF-8");
  }
  const OwnedName current = current_name(module, name);
  stack_.push(values_.global(current.module, current.name));
}

void Machine::require_tuple(ValueId args) const {
  if (values_.kind(args) != Kind::kTuple) in_.fail("the arguments of a call are not a tuple");
}

void Machine::push_call(ValueId callable, ValueId args) {
  require_tuple(args);
  const auto plain = folder_.fold(callable, args);
  stack_.push(plain ? *plain : values_.reduce(callable, args));
}

void Machine::push_new_object(ValueId callable, ValueId args, ValueId kwargs) {
  require_tuple(args);
  if (kwargs != Values::none() && values_.kind(kwargs) != Kind::kDict) {
    in_.fail("the keyword arguments of a call are not a dict");
  }
  stack_.push(values_.new_object(callable, args, kwargs));
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
  const ValueId name = stack_.pop();
  const ValueId module = stack_.pop();
  const auto module_text = values_.as_string(module);
  const auto name_text = values_.as_string(name);
  if (!module_text || !name_text) in_.fail("the name of a class is not a string");
  push_global(*module_text, *name_text);
}

void Machine::obj() {
  const std::vector<ValueId> above = stack_.pop_mark();
  if (above.empty()) in_.fail("there is no class where one is needed");
  push_old_instance(above[0], std::span(above).subspan(1));
}

void Machine::build() {
  const ValueId state = stack_.pop();
  if (values_.kind(stack_.top()) != Kind::kObject)
    in_.fail("a state is given to what is not an object");
  values_.set_state(stack_.top(), state);
}

void Machine::append_to(ValueId target, std::span<const ValueId> elements) {
  const Kind kind = values_.kind(target);
  if (kind != Kind::kList && kind != Kind::kObject)
    in_.fail("elements are appended to what is not a list");
  for (const ValueId element : elements) values_.append(target, element);
}

void Machine::add_to(ValueId target, std::span<const ValueId> elements) {
  if (values_.kind(target) != Kind::kSet) in_.fail("elements are added to what is not a set");
  for (const ValueId element : elements) values_.append(target, element);
}

std::vector<Item> Machine::paired(std::span<const ValueId> pairs) const {
  if (pairs.size() % 2 != 0) in_.fail("a key of a dict has no value");
  std::vector<Item> items;
  items.reserve(pairs.size() / 2);
  for (std::size_t i = 0; i < pairs.size(); i += 2) items.push_back({pairs[i], pairs[i + 1]});
  return items;
}

void Machine::set_items(ValueId target, std::span<const ValueId> pairs) {
  const Kind kind = values_.kind(target);
  if (kind != Kind::kDict && kind != Kind::kObject) in_.fail("items are set in what is not a dict");
  for (const Item& item : paired(pairs)) values_.set_item(target, item.key, item.value);
}

void Machine::execute(Opcode opcode) {
  switch (opcode) {
    case Opcode::kNone:
      return stack_.push(Values::none());
    case Opcode::kNewTrue:
      return stack_.push(Values::boolean(true));
    case Opcode::kNewFalse:
      return stack_.push(Values::boolean(false));
    case Opcode::kInt:
      return push_int_line();
    case Opcode::kLong: {
      const std::string_view line = in_.take_line();
      return push_decimal(line.substr(0, line.size() - (line.ends_with('L') ? 1 : 0)));
    }
    case Opcode::kBinInt:
      return stack_.push(values_.integer(std::bit_cast<std::int32_t>(in_.take<std::uint32_t>())));
    case Opcode::kBinInt1:
      return stack_.push(values_.integer(in_.take<std::uint8_t>()));
    case Opcode::kBinInt2:
      return stack_.push(values_.integer(in_.take<std::uint16_t>()));
    case Opcode::kLong1:
      return stack_.push(values_.integer(in_.take(in_.take<std::uint8_t>())));
    case Opcode::kLong4:
      return stack_.push(values_.integer(in_.take(in_.take_signed_size())));
    case Opcode::kFloat: {
      const auto value = parse_float(in_.take_line());
      if (!value) in_.fail("a float is not a number");
      return stack_.push(values_.real(*value));
    }
    case Opcode::kBinFloat: {
      std::uint64_t bits = 0;
      for (const std::byte byte : in_.take(8))
        bits = (bits << 8) | std::to_integer<std::uint64_t>(byte);
      return stack_.push(values_.real(std::bit_cast<double>(bits)));
    }

    case Opcode::kString: {
      const auto text = parse_repr(in_.take_line());
      if (!text) in_.fail("a string is not quoted as Python does");
      return push_text(*text);
    }
    case Opcode::kUnicode: {
      const auto text = parse_raw_unicode_escape(in_.take_line());
      if (!text) in_.fail("a string has an escape that Python does not know");
      return stack_.push(values_.string(*text));
    }
    case Opcode::kBinString:
      return push_text(in_.take_text(in_.take_signed_size()));
    case Opcode::kShortBinString:
      return push_text(in_.take_text(in_.take<std::uint8_t>()));
    case Opcode::kBinUnicode:
      return push_text(in_.take_text(in_.take<std::uint32_t>()));
    case Opcode::kShortBinUnicode:
      return push_text(in_.take_text(in_.take<std::uint8_t>()));
    case Opcode::kBinUnicode8:
      return push_text(in_.take_text(in_.take<std::uint64_t>()));
    case Opcode::kBinBytes:
      return stack_.push(values_.bytes(in_.take(in_.take<std::uint32_t>())));
    case Opcode::kShortBinBytes:
      return stack_.push(values_.bytes(in_.take(in_.take<std::uint8_t>())));
    case Opcode::kBinBytes8:
      return stack_.push(values_.bytes(in_.take(in_.take<std::uint64_t>())));
    case Opcode::kByteArray8:
      return push_bytearray(in_.take(in_.take<std::uint64_t>()));

    case Opcode::kMark:
      return stack_.mark();
    case Opcode::kEmptyTuple:
      return stack_.push(Values::empty_tuple());
    case Opcode::kTuple1:
      return push_tuple(1);
    case Opcode::kTuple2:
      return push_tuple(2);
    case Opcode::kTuple3:
      return push_tuple(3);
    case Opcode::kTuple:
      return stack_.push(values_.tuple(stack_.pop_mark()));
    case Opcode::kEmptyList:
      return stack_.push(values_.list());
    case Opcode::kList:
      return stack_.push(values_.list(stack_.pop_mark()));
    case Opcode::kAppend: {
      const ValueId element = stack_.pop();
      return append_to(stack_.top(), std::span(&element, 1));
    }
    case Opcode::kAppends: {
      const std::vector<ValueId> elements = stack_.pop_mark();
      return append_to(stack_.top(), elements);
    }
    case Opcode::kEmptyDict:
      return stack_.push(values_.dict());
    case Opcode::kDict:
      return stack_.push(values_.dict(paired(stack_.pop_mark())));
    case Opcode::kSetItem: {
      const ValueId value = stack_.pop();
      const ValueId pair[] = {stack_.pop(), value};
      return set_items(stack_.top(), pair);
    }
    case Opcode::kSetItems: {
      const std::vector<ValueId> pairs = stack_.pop_mark();
      return set_items(stack_.top(), pairs);
    }
    case Opcode::kEmptySet:
      return stack_.push(values_.set());
    case Opcode::kAddItems: {
      const std::vector<ValueId> elements = stack_.pop_mark();
      return add_to(stack_.top(), elements);
    }
    case Opcode::kFrozenSet:
      return stack_.push(values_.frozen_set(stack_.pop_mark()));

    case Opcode::kGlobal: {
      const std::string_view module = in_.take_line();
      return push_global(module, in_.take_line());
    }
    case Opcode::kStackGlobal:
      return stack_global();
    case Opcode::kReduce: {
      const ValueId args = stack_.pop();
      return push_call(stack_.pop(), args);
    }
    case Opcode::kNewObj: {
      const ValueId args = stack_.pop();
      return push_new_object(stack_.pop(), args, Values::none());
    }
    case Opcode::kNewObjEx: {
      const ValueId kwargs = stack_.pop();
      const ValueId args = stack_.pop();
      return push_new_object(stack_.pop(), args, kwargs);
    }
    case Opcode::kBuild:
      return build();
    case Opcode::kInst: {
      const std::string_view module = in_.take_line();
      push_global(module, in_.take_line());
      const ValueId callable = stack_.pop();
      return push_old_instance(callable, stack_.pop_mark());
    }
    case Opcode::kObj:
      return obj();
    case Opcode::kPersId: {
      push_text(in_.take_line());
      return stack_.push(values_.persistent_id(stack_.pop()));
    }
    case Opcode::kBinPersId:
      return stack_.push(values_.persistent_id(stack_.pop()));

    case Opcode::kPop:
      return stack_.pop_or_unmark();
    case Opcode::kPopMark:
      return static_cast<void>(stack_.pop_mark());
    case Opcode::kDup:
      return stack_.push(stack_.top());
    case Opcode::kGet:
      return stack_.get(in_.take_index_line());
    case Opcode::kBinGet:
      return stack_.get(in_.take<std::uint8_t>());
    case Opcode::kLongBinGet:
      return stack_.get(in_.take<std::uint32_t>());
    case Opcode::kPut:
      return stack_.put(in_.take_index_line());
    case Opcode::kBinPut:
      return stack_.put(in_.take<std::uint8_t>());
    case Opcode::kLongBinPut:
      return stack_.put(in_.take<std::uint32_t>());
    case Opcode::kMemoize:
      return stack_.memoize();

    case Opcode::kProto:
      return push_protocol();
    case Opcode::kFrame:
      return static_cast<void>(in_.take<std::uint64_t>());
    case Opcode::kExt1:
    case Opcode::kExt2:
    case Opcode::kExt4:
      in_.fail(CKB_UNSUPPORTED,
               "a class is named by an extension code, which only the program that "
               "wrote the file can resolve");
    case Opcode::kNextBuffer:
    case Opcode::kReadonlyBuffer:
      in_.fail(CKB_UNSUPPORTED, "some data was stored outside of the pickle");
    case Opcode::kStop:
      return;
  }
  in_.fail("there is no opcode " + std::to_string(static_cast<int>(opcode)));
}

}  // namespace

UnpickledValue unpickle(Values& values, std::span<const std::byte> data, const std::string& name) {
  return Machine(values, data, name).run();
}

}  // namespace ckptbridge::torch_file
