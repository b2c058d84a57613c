// Protocol 2, with an explicit stack of what is left to write, so that depth costs no recursion.
//
//   80 02            protocol
//   values           each in the form of Lib/pickle.py; BINPUT after one that is used again
//   2E               stop
//
// bytes are _codecs.encode(text, 'latin1'), sets are set([...]), as Python writes them in
// protocol 2. kwargs of NEWOBJ_EX, which protocol 2 lacks, go through copyreg.__newobj_ex__.
#include "plugins/torch_file/pickler.h"

#include <bit>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/children.h"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/names.h"
#include "plugins/torch_file/opcodes.h"
#include "plugins/torch_file/text_encoding.h"

namespace ckptbridge::torch_file {
namespace {

// As Python does: a reader's stack stays short.
constexpr std::size_t kBatchCount = 1000;

struct Uses {
  std::unordered_set<ValueId> repeated;  // reached more than once
  bool has_cycle = false;
};

Uses count_uses(const Values& values, ValueId root) {
  Uses uses;
  enum class State : std::uint8_t { kOpen, kDone };
  std::unordered_map<ValueId, State> states;
  struct Step {
    ValueId id;
    bool is_end;
  };
  std::vector<Step> todo{{root, false}};
  while (!todo.empty()) {
    const auto [id, is_end] = todo.back();
    todo.pop_back();
    if (is_end) {
      states[id] = State::kDone;
      continue;
    }
    const auto [known, is_new] = states.emplace(id, State::kOpen);
    if (!is_new) {
      uses.repeated.insert(id);
      uses.has_cycle |= known->second == State::kOpen;
      continue;
    }
    todo.push_back({id, true});
    for_each_child(values, id, [&](ValueId child) { todo.push_back({child, false}); });
  }
  return uses;
}

class Pickler {
 public:
  Pickler(const Values& values, ValueId root) : values_(values), uses_(count_uses(values, root)) {}

  Bytes run(ValueId root);

 private:
  // What is left to do, last first.
  enum class Step : std::uint8_t {
    kWrite,        // the value
    kOpcode,       // this one
    kCloseTuple,   // its elements are on the stack
    kCloseSet,     // set or frozenset, and a tuple of one list are on the stack
    kCloseObject,  // what makes it is on the stack
    kClosePersistentId,
  };
  struct Todo {
    Step step;
    Opcode opcode;
    ValueId id;
  };

  void write(ValueId id);
  bool write_scalar(ValueId id);
  void write_int(std::int64_t value);
  void write_long(std::span<const std::byte> twos_complement);
  void write_text(std::string_view utf8);
  void write_bytes(std::span<const std::byte> data);
  void write_global(std::string_view module, std::string_view name);
  void open_tuple(ValueId id);
  void close_tuple(ValueId id);
  void open_set(ValueId id);
  void open_object(ValueId id);
  void close_call(ValueId id, Opcode opcode, int above);
  void close_object(ValueId id);

  void later(ValueId id) { todo_.push_back({Step::kWrite, Opcode::kStop, id}); }
  void later(Opcode opcode) { todo_.push_back({Step::kOpcode, opcode, 0}); }
  void later(Step step, ValueId id) { todo_.push_back({step, Opcode::kStop, id}); }
  // Schedules value(i) for each i in [begin, end), in batches that end in one of two opcodes.
  template <class Schedule>
  void later_batches(std::size_t count, Opcode one, Opcode many, const Schedule& schedule);

  void emit(Opcode opcode) { out_.push_back(static_cast<std::byte>(opcode)); }
  template <class T>
  void number(T value) {
    torch_file::append<T>(out_, value);
  }
  void raw(std::string_view text) {
    const auto data = std::as_bytes(std::span(text));
    out_.insert(out_.end(), data.begin(), data.end());
  }

  void put(ValueId id);
  bool get(ValueId id);
  // Memoizes what was written last, and returns its index; writes what has an index again.
  std::uint32_t put_new();
  void get_index(std::uint32_t index);

  const Values& values_;
  Uses uses_;
  std::unordered_map<ValueId, std::uint32_t> memo_;
  std::uint32_t memo_size_ = 0;
  // The class of sets and of frozensets, which are no values: how often they were named, up to 2,
  // and the index in the memo from then on. A million sets must not name it a million times.
  struct SetClass {
    int times = 0;
    std::uint32_t index = 0;
  };
  SetClass set_classes_[2];
  std::vector<Todo> todo_;
  Bytes out_;
};

Bytes Pickler::run(ValueId root) {
  emit(Opcode::kProto);
  number<std::uint8_t>(2);
  later(root);
  while (!todo_.empty()) {
    const Todo next = todo_.back();
    todo_.pop_back();
    switch (next.step) {
      case Step::kWrite:
        write(next.id);
        break;
      case Step::kOpcode:
        emit(next.opcode);
        break;
      case Step::kCloseTuple:
        close_tuple(next.id);
        break;
      case Step::kCloseSet:
        close_call(next.id, Opcode::kReduce, 2);
        break;
      case Step::kCloseObject:
        close_object(next.id);
        break;
      case Step::kClosePersistentId:
        close_call(next.id, Opcode::kBinPersId, 1);
        break;
    }
  }
  emit(Opcode::kStop);
  return std::move(out_);
}

// In a cycle, whatever is entered again must be in the memo, or there would be no end.
void Pickler::put(ValueId id) {
  if (!uses_.has_cycle && !uses_.repeated.contains(id)) return;
  if (!memo_.emplace(id, memo_size_).second) return;
  put_new();
}

std::uint32_t Pickler::put_new() {
  if (memo_size_ < 256) {
    emit(Opcode::kBinPut);
    number<std::uint8_t>(static_cast<std::uint8_t>(memo_size_));
  } else {
    emit(Opcode::kLongBinPut);
    number<std::uint32_t>(memo_size_);
  }
  return memo_size_++;
}

bool Pickler::get(ValueId id) {
  const auto found = memo_.find(id);
  if (found == memo_.end()) return false;
  get_index(found->second);
  return true;
}

void Pickler::get_index(std::uint32_t index) {
  if (index < 256) {
    emit(Opcode::kBinGet);
    number<std::uint8_t>(static_cast<std::uint8_t>(index));
  } else {
    emit(Opcode::kLongBinGet);
    number<std::uint32_t>(index);
  }
}

void Pickler::write_int(std::int64_t value) {
  if (value >= 0 && value <= 0xFF) {
    emit(Opcode::kBinInt1);
    number<std::uint8_t>(static_cast<std::uint8_t>(value));
  } else if (value >= 0 && value <= 0xFFFF) {
    emit(Opcode::kBinInt2);
    number<std::uint16_t>(static_cast<std::uint16_t>(value));
  } else if (value >= std::numeric_limits<std::int32_t>::min() &&
             value <= std::numeric_limits<std::int32_t>::max()) {
    emit(Opcode::kBinInt);
    number<std::uint32_t>(static_cast<std::uint32_t>(value));
  } else {
    Bytes data;
    torch_file::append<std::uint64_t>(data, std::bit_cast<std::uint64_t>(value));
    const std::byte sign = value < 0 ? std::byte{0xFF} : std::byte{0};
    while (data.size() > 1 && data.back() == sign &&
           (data[data.size() - 2] & std::byte{0x80}) == (sign & std::byte{0x80})) {
      data.pop_back();
    }
    write_long(data);
  }
}

void Pickler::write_long(std::span<const std::byte> twos_complement) {
  if (twos_complement.size() <= 0xFF) {
    emit(Opcode::kLong1);
    number<std::uint8_t>(static_cast<std::uint8_t>(twos_complement.size()));
  } else {
    emit(Opcode::kLong4);
    number<std::uint32_t>(static_cast<std::uint32_t>(twos_complement.size()));
  }
  out_.insert(out_.end(), twos_complement.begin(), twos_complement.end());
}

void Pickler::write_text(std::string_view utf8) {
  if (utf8.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(CKB_UNSUPPORTED, "protocol 2 of pickle cannot hold a string of " +
                                     std::to_string(utf8.size()) + " bytes");
  }
  emit(Opcode::kBinUnicode);
  number<std::uint32_t>(static_cast<std::uint32_t>(utf8.size()));
  raw(utf8);
}

void Pickler::write_bytes(std::span<const std::byte> data) {
  if (data.empty()) {
    write_global("builtins", "bytes");
    emit(Opcode::kEmptyTuple);
  } else {
    write_global("_codecs", "encode");
    write_text(to_latin1_text(data));
    write_text("latin1");
    emit(Opcode::kTuple2);
  }
  emit(Opcode::kReduce);
}

// Protocol 2 has no form for a line break in a name, which no class has.
void Pickler::write_global(std::string_view module, std::string_view name) {
  if (module.find('\n') != std::string_view::npos || name.find('\n') != std::string_view::npos) {
    throw Error(CKB_UNSUPPORTED, "a class has a line break in its name");
  }
  emit(Opcode::kGlobal);
  raw(python2_module(module));
  raw("\n");
  raw(name);
  raw("\n");
}

// None, booleans, numbers and the empty tuple are never put in the memo: they are short.
bool Pickler::write_scalar(ValueId id) {
  switch (values_.kind(id)) {
    case Kind::kNone:
      emit(Opcode::kNone);
      return true;
    case Kind::kBool:
      emit(id == Values::boolean(true) ? Opcode::kNewTrue : Opcode::kNewFalse);
      return true;
    case Kind::kInt:
      write_int(values_.as_int(id).value_or(0));
      return true;
    case Kind::kFloat: {
      emit(Opcode::kBinFloat);
      const auto bits = std::bit_cast<std::uint64_t>(values_.as_float(id).value_or(0));
      for (int shift = 56; shift >= 0; shift -= 8) {
        number<std::uint8_t>(static_cast<std::uint8_t>(bits >> shift));
      }
      return true;
    }
    case Kind::kTuple:
      if (!values_.elements(id).empty()) return false;
      emit(Opcode::kEmptyTuple);
      return true;
    default:
      return false;
  }
}

void Pickler::write(ValueId id) {
  if (write_scalar(id) || get(id)) return;
  switch (values_.kind(id)) {
    case Kind::kBigInt:
      write_long(values_.big_integer(id));
      return put(id);
    case Kind::kString:
      write_text(values_.as_string(id).value_or(""));
      return put(id);
    case Kind::kBytes:
      write_bytes(values_.as_bytes(id).value_or(std::span<const std::byte>{}));
      return put(id);
    case Kind::kGlobal: {
      const GlobalName global = values_.as_global(id).value_or(GlobalName{});
      write_global(global.module, global.name);
      return put(id);
    }
    case Kind::kList: {
      emit(Opcode::kEmptyList);
      put(id);
      const auto elements = values_.elements(id);
      return later_batches(elements.size(), Opcode::kAppend, Opcode::kAppends,
                           [&](std::size_t i) { later(elements[i]); });
    }
    case Kind::kDict: {
      emit(Opcode::kEmptyDict);
      put(id);
      const auto items = values_.items(id);
      return later_batches(items.size(), Opcode::kSetItem, Opcode::kSetItems, [&](std::size_t i) {
        later(items[i].value);
        later(items[i].key);
      });
    }
    case Kind::kTuple:
      return open_tuple(id);
    case Kind::kSet:
    case Kind::kFrozenSet:
      return open_set(id);
    case Kind::kObject:
      return open_object(id);
    case Kind::kPersistentId:
      later(Step::kClosePersistentId, id);
      return later(values_.persistent_id_of(id));
    default:
      break;
  }
}

template <class Schedule>
void Pickler::later_batches(std::size_t count, Opcode one, Opcode many, const Schedule& schedule) {
  for (std::size_t end = count; end > 0;) {
    const std::size_t begin = (end - 1) / kBatchCount * kBatchCount;
    later(end - begin == 1 ? one : many);
    for (std::size_t i = end; i-- > begin;) schedule(i);
    if (end - begin > 1) later(Opcode::kMark);
    end = begin;
  }
}

void Pickler::open_tuple(ValueId id) {
  const auto elements = values_.elements(id);
  later(Step::kCloseTuple, id);
  for (std::size_t i = elements.size(); i-- > 0;) later(elements[i]);
  if (elements.size() > 3) emit(Opcode::kMark);
}

// A tuple, set or object can only contain itself through a list or dict, which met it again and
// wrote it in full: then what is on the stack is dropped (Lib/pickle.py, issue 12687).
void Pickler::close_tuple(ValueId id) {
  const std::size_t size = values_.elements(id).size();
  if (memo_.contains(id)) {
    if (size > 3) {
      emit(Opcode::kPopMark);
    } else {
      for (std::size_t i = 0; i < size; ++i) emit(Opcode::kPop);
    }
    get(id);
    return;
  }
  constexpr Opcode kSmall[] = {Opcode::kTuple1, Opcode::kTuple2, Opcode::kTuple3};
  emit(size > 3 ? Opcode::kTuple : kSmall[size - 1]);
  put(id);
}

void Pickler::close_call(ValueId id, Opcode opcode, int above) {
  if (memo_.contains(id)) {
    for (int i = 0; i < above; ++i) emit(Opcode::kPop);
    get(id);
    return;
  }
  emit(opcode);
  put(id);
}

void Pickler::open_set(ValueId id) {
  const bool is_frozen = values_.kind(id) == Kind::kFrozenSet;
  SetClass& named = set_classes_[is_frozen ? 1 : 0];
  if (named.times == 2) {
    get_index(named.index);
  } else {
    write_global("builtins", is_frozen ? "frozenset" : "set");
    if (++named.times == 2) named.index = put_new();
  }
  emit(Opcode::kEmptyList);
  const auto elements = values_.elements(id);
  later(Step::kCloseSet, id);
  later(Opcode::kTuple1);
  later_batches(elements.size(), Opcode::kAppend, Opcode::kAppends,
                [&](std::size_t i) { later(elements[i]); });
}

void Pickler::open_object(ValueId id) {
  const Object& object = values_.object(id);
  later(Step::kCloseObject, id);
  if (object.kwargs == Values::none()) {
    later(object.args);
    later(object.callable);
    return;
  }
  write_global("copyreg", "__newobj_ex__");
  later(Opcode::kTuple3);
  later(object.kwargs);
  later(object.args);
  later(object.callable);
}

void Pickler::close_object(ValueId id) {
  const Object& object = values_.object(id);
  const bool was_written = memo_.contains(id);
  const bool is_new = object.is_new && object.kwargs == Values::none();
  close_call(id, is_new ? Opcode::kNewObj : Opcode::kReduce, 2);
  if (was_written) return;
  // Runs of equal edits, last first.
  const auto& edits = object.edits;
  for (std::size_t end = edits.size(); end > 0;) {
    std::size_t begin = end - 1;
    const Edit::Op op = edits[begin].op;
    while (begin > 0 && edits[begin - 1].op == op && op != Edit::Op::kState) --begin;
    const auto write_edit = [&](std::size_t i) {
      later(edits[begin + i].value);
      if (op == Edit::Op::kSetItem) later(edits[begin + i].key);
    };
    if (op == Edit::Op::kState) {
      later(Opcode::kBuild);
      write_edit(0);
    } else if (op == Edit::Op::kSetItem) {
      later_batches(end - begin, Opcode::kSetItem, Opcode::kSetItems, write_edit);
    } else {
      later_batches(end - begin, Opcode::kAppend, Opcode::kAppends, write_edit);
    }
    end = begin;
  }
}

}  // namespace

Bytes pickle(const Values& values, ValueId root) { return Pickler(values, root).run(root); }

}  // namespace ckptbridge::torch_file
