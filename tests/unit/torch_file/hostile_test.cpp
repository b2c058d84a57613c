// Files that were damaged everywhere: an Error or a result, never a crash (under ASan, too).
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"
#include "plugins/torch_file/zip_reader.h"
#include "tests/unit/torch_file/support.h"

namespace ckptbridge::torch_file {
namespace {

// Reads all there is to read; true when it could be read.
bool survives(const Bytes& data) {
  try {
    const TorchFile file = read_torch_file(MemorySource(data, "x.pt"));
    for (ValueId id = 0; id < file.values.count(); ++id) {
      read_tensor(file.values, id, "x.pt");
    }
    pickle(file.values, file.root);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(std::string_view(error.what()).substr(0, 5), "x.pt:") << error.what();
    return false;
  }
}

void read_damaged_pickle(const Bytes& data) {
  Values values;
  try {
    const ValueId root = unpickle(values, data, "x.pt").root;
    for (ValueId id = 0; id < values.count(); ++id) {
      try {
        read_tensor(values, id, "x.pt");
      } catch (const Error& error) {
        EXPECT_NE(std::string_view(error.what()), "");
      }
    }
    const Bytes written = pickle(values, root);
    Values second;
    EXPECT_EQ(unpickle(second, written, "x.pt").size, written.size());
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()), "");
  }
}

class DamagedFile : public testing::TestWithParam<const char*> {};

TEST_P(DamagedFile, CutAtAnyByteIsRefused) {
  const Bytes whole = golden(GetParam());
  ASSERT_TRUE(survives(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(survives(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))))
        << size;
  }
}

TEST_P(DamagedFile, ChangedInAnyByteDoesNotCrash) {
  Bytes data = golden(GetParam());
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] ^= static_cast<std::byte>(1U << (i % 8));
    survives(data);
    data[i] ^= static_cast<std::byte>(1U << (i % 8));
    data[i] = ~data[i];
    survives(data);
    data[i] = ~data[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Hostile, DamagedFile,
                         testing::Values("tiny_tensor.pt", "tiny_sd.pt", "ours_minimal_tensor.pt",
                                         "legacy.4.pt", "legacy_views.pt"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

// Each byte with one bit changed, with all changed, and an opcode that moves the stack or the memo.
TEST(DamagedPickle, ChangedInAnyByteDoesNotCrash) {
  for (const char* name : {"tiny_sd.pt", "objects.pt"}) {
    const Bytes file = golden(name);
    const ZipRecord record = *read_zip_directory(MemorySource(file, name)).find("data.pkl");
    Bytes data = read_range(MemorySource(file, name), record.offset, record.size, "data.pkl");
    constexpr std::string_view kOpcodes = "012(tuRbhr";
    for (std::size_t i = 0; i < data.size(); ++i) {
      const std::byte right = data[i];
      data[i] ^= static_cast<std::byte>(1U << (i % 8));
      read_damaged_pickle(data);
      data[i] = ~right;
      read_damaged_pickle(data);
      data[i] = static_cast<std::byte>(kOpcodes[i % kOpcodes.size()]);
      read_damaged_pickle(data);
      data[i] = right;
    }
  }
}

TEST(DamagedPickle, OfEachProtocolDoesNotCrash) {
  for (int protocol = 0; protocol < 6; ++protocol) {
    const Bytes whole = golden("plain." + std::to_string(protocol) + ".pkl");
    // A prime step visits all kinds of places.
    for (std::size_t i = 0; i < whole.size(); i += 499) {
      Bytes data = whole;
      data[i] ^= static_cast<std::byte>(1U << (i % 8));
      read_damaged_pickle(data);
      read_damaged_pickle(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)));
    }
  }
}

// Long chains of opcodes that make memory or time out of nothing.
TEST(HostilePickle, CostsNoMoreThanItsSize) {
  const auto root = [](const std::string& text) {
    Values values;
    unpickle(values, to_bytes(text), "x");
    return values.count();
  };
  EXPECT_LT(
      root("]q" + std::string(1, '\0') +
           [] {
             std::string doubling;  // [x, x] of [x, x] of ...: 2^30 elements if it were copied
             for (int i = 0; i < 30; ++i) doubling += "2\x86";
             return doubling;
           }() +
           "."),
      100U);
  std::string reused = "(";
  for (int i = 0; i < 100'000; ++i) reused += "N";
  reused += "lq" + std::string(1, '\0') + "0c__builtin__\nset\nq\1";
  for (int i = 0; i < 1000; ++i) reused += std::string("h\1h\0\x85R0", 7);
  EXPECT_LT(root(reused + "N."), 5000U);
}

}  // namespace
}  // namespace ckptbridge::torch_file
