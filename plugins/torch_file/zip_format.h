// The fields of a zip that torch's files and ours use (PKWARE APPNOTE 6.3, sections 4.3 to 4.5).
//
// local header (30 bytes, then name, extra, data)    central entry (46 bytes, then name, extra)
//    0  4  50 4B 03 04                                  0  4  50 4B 01 02
//    4  2  version needed                               4  2  made by
//    6  2  flags: 0 encrypted, 3 sizes follow the       6  2  version needed
//          data, 11 name is UTF-8                       8  2  flags
//    8  2  method: 0 stored                            10  2  method
//   10  4  time, date                                  12  4  time, date
//   14  4  CRC-32                                      16  4  CRC-32
//   18  4  size as stored                              20  4  size as stored
//   22  4  size                                        24  4  size
//   26  2  name size                                   28  2  name size
//   28  2  extra size                                  30  2  extra size
//                                                      32  2  comment size
// extra: fields of id16 size16 data                    34  2  disk
//   0001  64-bit values of those fields that hold      36  6  attributes
//         FFFFFFFF: size, stored size, offset          42  4  offset of the local header
//   4246  padding ("FB", torch's)
//
// end record (22 bytes)        ZIP64 end record (56 bytes)      ZIP64 locator (20 bytes)
//    0  4  50 4B 05 06            0  4  50 4B 06 06                0  4  50 4B 06 07
//    4  2  disk                   4  8  44, size of the rest       4  4  disk
//    6  2  disk of directory     12  2  made by                    8  8  offset of the ZIP64 end
//    8  2  entries on disk       14  2  version needed            16  4  disks
//   10  2  entries               16  8  disk, disk of directory
//   12  4  directory size        24  8  entries on disk
//   16  4  directory offset      32  8  entries
//   20  2  comment size          40  8  directory size
//                                48  8  directory offset
#pragma once

#include <cstdint>

namespace ckptbridge::torch_file {

inline constexpr std::uint32_t kLocalSignature = 0x04034B50;
inline constexpr std::uint32_t kCentralSignature = 0x02014B50;
inline constexpr std::uint32_t kEndSignature = 0x06054B50;
inline constexpr std::uint32_t kEnd64Signature = 0x06064B50;
inline constexpr std::uint32_t kLocatorSignature = 0x07064B50;

inline constexpr std::uint64_t kLocalSize = 30;
inline constexpr std::uint64_t kCentralSize = 46;
inline constexpr std::uint64_t kEndSize = 22;
inline constexpr std::uint64_t kEnd64Size = 56;
inline constexpr std::uint64_t kLocatorSize = 20;

inline constexpr std::uint16_t kFlagEncrypted = 0x0001;
inline constexpr std::uint16_t kFlagUtf8 = 0x0800;
inline constexpr std::uint16_t kZip64Field = 0x0001;
inline constexpr std::uint16_t kPaddingField = 0x4246;

// A field of this value has its real one in the ZIP64 field or end record.
inline constexpr std::uint32_t kSaturated32 = 0xFFFFFFFF;
inline constexpr std::uint16_t kSaturated16 = 0xFFFF;

}  // namespace ckptbridge::torch_file
