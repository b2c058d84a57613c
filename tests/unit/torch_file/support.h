// What the tests of torch_file share.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"
#include "plugins/torch_file/crc32.h"
#include "plugins/torch_file/little_endian.h"
#include "plugins/torch_file/value.h"
#include "plugins/torch_file/zip_layout.h"
#include "tests/paths.h"

namespace ckptbridge::torch_file {

inline Bytes to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline std::string golden_text(const std::string& name) {
  std::ifstream in(std::string(paths::golden()) + "/torch_file/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

inline Bytes golden(const std::string& name) { return to_bytes(golden_text(name)); }

// The message of the Error that action throws; "" when it throws none.
template <class Action>
std::string error_of(const Action& action, ckb_status code = CKB_CORRUPT) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "";
}

// The file that a layout describes. Every byte must be put exactly once.
inline Bytes filled(const ZipLayout& layout, const std::vector<Bytes>& payloads) {
  Bytes file(layout.size);
  std::vector<int> puts(layout.size);
  const auto put = [&](std::uint64_t offset, std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      file.at(offset + i) = bytes[i];
      ++puts.at(offset + i);
    }
  };
  for (const auto& literal : layout.literals) put(literal.offset, literal.bytes);
  for (const auto& payload : layout.payloads) {
    EXPECT_EQ(payloads.at(payload.index).size(), payload.size);
    put(payload.offset, payloads.at(payload.index));
  }
  for (const auto& crc : layout.crcs) {
    Bytes sum;
    append<std::uint32_t>(sum, crc32(std::span(file).subspan(crc.from, crc.size)));
    put(crc.offset, sum);
  }
  EXPECT_EQ(std::count(puts.begin(), puts.end(), 1), static_cast<std::ptrdiff_t>(layout.size));
  return file;
}

inline std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

// Values as text in which shared values show: "#0[1,#0,]" is a list of 1 and itself. What
// make_golden.py writes for Python's own objects; objects as "#0@callable,args,...".
inline void print_canonical(const Values& values, ValueId id, std::map<ValueId, int>& numbers,
                            std::string& out) {
  const auto print = [&](ValueId part) {
    print_canonical(values, part, numbers, out);
    out += ",";
  };
  switch (values.kind(id)) {
    case Kind::kNone:
      out += "None";
      return;
    case Kind::kBool:
      out += *values.as_bool(id) ? "True" : "False";
      return;
    case Kind::kInt:
      out += std::to_string(*values.as_int(id));
      return;
    case Kind::kBigInt:
      out += "I" + hex(values.big_integer(id));
      return;
    case Kind::kFloat: {
      Bytes bits;
      append<std::uint64_t>(bits, std::bit_cast<std::uint64_t>(*values.as_float(id)));
      std::reverse(bits.begin(), bits.end());
      out += "f" + hex(bits);
      return;
    }
    case Kind::kString:
      out += "s" + hex(to_bytes(*values.as_string(id)));
      return;
    case Kind::kBytes:
      out += "b" + hex(*values.as_bytes(id));
      return;
    case Kind::kGlobal: {
      const GlobalName global = *values.as_global(id);
      out += std::string(global.module) + "." + std::string(global.name);
      return;
    }
    default:
      break;
  }
  if (id == Values::empty_tuple()) {
    out += "()";
    return;
  }
  const auto [known, is_new] = numbers.emplace(id, static_cast<int>(numbers.size()));
  out += "#" + std::to_string(known->second);
  if (!is_new) return;
  if (values.kind(id) == Kind::kDict) {
    out += "{";
    for (const Item& item : values.items(id)) {
      print(item.key);
      print(item.value);
    }
    out += "}";
  } else if (values.kind(id) == Kind::kObject) {
    const Object& object = values.object(id);
    out += object.is_new ? "!" : "@";
    print(object.callable);
    print(object.args);
    print(object.kwargs);
    for (const Edit& edit : object.edits) {
      out += edit.op == Edit::Op::kAppend ? "+" : edit.op == Edit::Op::kSetItem ? "=" : "~";
      print(edit.key);
      print(edit.value);
    }
  } else if (values.kind(id) == Kind::kPersistentId) {
    out += "&";
    print(values.persistent_id_of(id));
  } else {
    const bool is_list = values.kind(id) == Kind::kList;
    const bool is_tuple = values.kind(id) == Kind::kTuple;
    out += is_list ? "[" : is_tuple ? "(" : "<";
    for (const ValueId element : values.elements(id)) print(element);
    out += is_list ? "]" : is_tuple ? ")" : ">";
  }
}

inline std::string canonical(const Values& values, ValueId id) {
  std::map<ValueId, int> numbers;
  std::string out;
  print_canonical(values, id, numbers, out);
  return out;
}

}  // namespace ckptbridge::torch_file
