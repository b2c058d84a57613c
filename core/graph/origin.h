// What a value is made of: ranges of input files, and what is done with their elements.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/bytes/intervals.h"
#include "core/graph/graph.h"

namespace ckptbridge {

struct Operation {
  Op op;
  std::uint32_t dim = 0;  // of a slice or concat
  std::size_t parts = 0;  // of a concat: the most that are joined in one go
  Dtype from{};           // of a cast
  Dtype to{};
};

struct ValueOrigin {
  // Of a strided view, from its first byte to its last.
  std::map<ckb_file, std::vector<Interval>> ranges;  // united
  std::vector<Operation> operations;                 // each once, in the order in which it is done
};

ValueOrigin origin_of(const Arena& arena, std::span<const ckb_node> values);

// "cast float32 to bfloat16", "concat along 0": for programs.
std::vector<std::string> operation_names(const ValueOrigin& origin);
// "rounded from float32 to bfloat16", "256 parts joined along dimension 0": for people.
std::string operation_words(const Operation& operation);
// Of a cast alone.
std::string cast_words(Dtype from, Dtype to);

}  // namespace ckptbridge
