// The opcodes of pickle, protocols 0 to 5 (Lib/pickletools.py of CPython).
#pragma once

#include <cstdint>

namespace ckptbridge::torch_file {

enum class Opcode : std::uint8_t {
  // Scalars
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kInt = 'I',       // decimal line; "00" and "01" are False and True
  kLong = 'L',      // decimal line, ends in "L"
  kBinInt = 'J',    // i32
  kBinInt1 = 'K',   // u8
  kBinInt2 = 'M',   // u16
  kLong1 = 0x8A,    // u8 n, n bytes
  kLong4 = 0x8B,    // i32 n, n bytes
  kFloat = 'F',     // decimal line
  kBinFloat = 'G',  // 8 bytes, big-endian
  // Text and bytes
  kString = 'S',            // Python 2's repr, a line
  kUnicode = 'V',           // raw-unicode-escape, a line
  kBinString = 'T',         // i32 n, n bytes
  kShortBinString = 'U',    // u8 n, n bytes
  kBinUnicode = 'X',        // u32 n, UTF-8
  kShortBinUnicode = 0x8C,  // u8 n
  kBinUnicode8 = 0x8D,      // u64 n
  kBinBytes = 'B',          // u32 n
  kShortBinBytes = 'C',     // u8 n
  kBinBytes8 = 0x8E,        // u64 n
  kByteArray8 = 0x96,       // u64 n
  // Containers
  kMark = '(',
  kEmptyTuple = ')',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTuple = 't',
  kEmptyList = ']',
  kList = 'l',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kDict = 'd',
  kSetItem = 's',
  kSetItems = 'u',
  kEmptySet = 0x8F,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  // Objects
  kGlobal = 'c',  // module line, name line
  kStackGlobal = 0x93,
  kReduce = 'R',
  kNewObj = 0x81,
  kNewObjEx = 0x92,
  kBuild = 'b',
  kInst = 'i',  // module line, name line; arguments from the mark
  kObj = 'o',
  kExt1 = 0x82,
  kExt2 = 0x83,
  kExt4 = 0x84,
  kPersId = 'P',  // a line
  kBinPersId = 'Q',
  // Stack and memo
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kGet = 'g',         // decimal line
  kBinGet = 'h',      // u8
  kLongBinGet = 'j',  // u32
  kPut = 'p',         // decimal line
  kBinPut = 'q',      // u8
  kLongBinPut = 'r',  // u32
  kMemoize = 0x94,
  // The stream
  kProto = 0x80,  // u8
  kFrame = 0x95,  // u64
  kNextBuffer = 0x97,
  kReadonlyBuffer = 0x98,
  kStop = '.',
};

}  // namespace ckptbridge::torch_file
