#include "tests/cli/hand_made_pt.h"

namespace ckptbridge {
namespace {

template <class T>
std::string number(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

std::string size_of(const std::string& data) {
  return number(static_cast<std::uint32_t>(data.size()));
}

std::string pickle_of(const std::string& opcodes) { return "\x80\x02" + opcodes + "."; }

}  // namespace

const std::string kZero("K\0", 2);
const std::string kFloatStorage = "ctorch\nFloatStorage\n";
const std::string kOneElement = kZero + "(K\x01t(K\x01t";

std::string text(const std::string& value) { return "X" + size_of(value) + value; }

std::string storage(const std::string& type, const std::string& key, const std::string& count,
                    const std::string& more) {
  return "(" + text("storage") + type + text(key) + text("cpu") + count + more + "tQ";
}

std::string rebuilt(const std::string& storage, const std::string& arguments,
                    const std::string& more, const std::string& name) {
  return "ctorch._utils\n" + name + "\n(" + storage + arguments +
         "\x89"
         "ccollections\nOrderedDict\n)R" +
         more + "tR";
}

std::string state_dict_of(const std::string& tensor, const std::string& name) {
  return "}" + text(name) + tensor + "s";
}

std::string zip_of(const std::vector<ZipRecordText>& records) {
  std::string file;
  std::string directory;
  for (const auto& [name, data] : records) {
    const auto name_size = number(static_cast<std::uint16_t>(name.size()));
    const std::string sizes = std::string(4, '\0') + size_of(data) + size_of(data);
    const std::string common = std::string(8, '\0') + sizes + name_size + std::string(2, '\0');
    directory += "PK\x01\x02" + std::string(2, '\0') + std::string(2, '\0') + common +
                 std::string(10, '\0') + size_of(file) + name;
    file += "PK\x03\x04" + std::string(2, '\0') + common + name + data;
  }
  const auto count = number(static_cast<std::uint16_t>(records.size()));
  return file + directory + "PK\x05\x06" + std::string(4, '\0') + count + count +
         size_of(directory) + size_of(file) + std::string(2, '\0');
}

std::vector<ZipRecordText> records_of_pt(const std::string& opcodes) {
  return {{"archive/data.pkl", pickle_of(opcodes)},
          {"archive/byteorder", "little"},
          {"archive/data/0", std::string(4, '\0')},
          {"archive/version", "3\n"}};
}

std::string pt_of(const std::string& opcodes) { return zip_of(records_of_pt(opcodes)); }

std::string legacy_of(const LegacyText& file) {
  std::string bytes = pickle_of("\x8A\x0A" + file.magic) + pickle_of("M\xE9\x03") +
                      pickle_of(file.machine) + pickle_of(file.object) + pickle_of(file.keys);
  for (const std::uint64_t count : file.counts) {
    bytes += number(count) + std::string(4 * count, '\0');
  }
  return bytes;
}

std::string keys(const std::vector<std::string>& names) {
  std::string list = "]";
  for (const std::string& name : names) list += text(name) + "a";
  return list;
}

}  // namespace ckptbridge
