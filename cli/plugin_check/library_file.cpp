// The parts of an ELF file that are read:
//
//   Elf64_Ehdr               header; where the section headers are
//   Elf64_Shdr[]             one for each section; sh_link: the section of its strings
//   SHT_DYNSYM: Elf64_Sym[]  symbols; defined where st_shndx is not SHN_UNDEF
//   SHT_DYNAMIC: Elf64_Dyn[] DT_NEEDED: offset of a library's name
#include "cli/plugin_check/library_file.h"

#include <cstring>
#include <elf.h>

#include <boost/filesystem/fstream.hpp>
#include <boost/filesystem/operations.hpp>

#include "ckptbridge/error.hpp"

namespace ckptbridge::plugin_check {
namespace {

class Elf {
 public:
  explicit Elf(const boost::filesystem::path& path) : path_(path.string()) {
    data_.resize(boost::filesystem::file_size(path));
    boost::filesystem::ifstream in(path, std::ios::binary);
    in.read(data_.data(), static_cast<std::streamsize>(data_.size()));
    if (!in) throw Error(CKB_IO, path_ + ": cannot be read");
    const auto header = at<Elf64_Ehdr>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
      throw Error(CKB_CORRUPT, path_ + ": is no 64-bit ELF library");
    }
    for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
      sections_.push_back(at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
    }
  }

  // Calls back with each entry of the sections of a type, and its section.
  template <class Entry, class Body>
  void each(std::uint32_t type, Body&& body) const {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != type) continue;
      for (std::uint64_t i = 0; i < section.sh_size / sizeof(Entry); ++i) {
        body(at<Entry>(section.sh_offset + i * sizeof(Entry)), section);
      }
    }
  }

  // The string at an offset of the section that this one links to.
  std::string string(const Elf64_Shdr& section, std::uint64_t offset) const {
    if (section.sh_link >= sections_.size()) refuse();
    const std::uint64_t begin = sections_[section.sh_link].sh_offset + offset;
    if (begin >= data_.size()) refuse();
    return {data_.data() + begin, strnlen(data_.data() + begin, data_.size() - begin)};
  }

 private:
  [[noreturn]] void refuse() const {
    throw Error(CKB_CORRUPT, path_ + ": an offset lies outside the file");
  }

  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > data_.size() || data_.size() - offset < sizeof(T)) refuse();
    T result;
    std::memcpy(&result, data_.data() + offset, sizeof(T));
    return result;
  }

  std::string path_;
  std::vector<char> data_;
  std::vector<Elf64_Shdr> sections_;
};

}  // namespace

LibraryFile read_library(const boost::filesystem::path& path) {
  const Elf elf(path);
  LibraryFile result;
  elf.each<Elf64_Sym>(SHT_DYNSYM, [&](const Elf64_Sym& symbol, const Elf64_Shdr& section) {
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    const bool is_visible =
        binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE;
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || !is_visible) return;
    result.exported.push_back(elf.string(section, symbol.st_name));
  });
  elf.each<Elf64_Dyn>(SHT_DYNAMIC, [&](const Elf64_Dyn& entry, const Elf64_Shdr& section) {
    if (entry.d_tag == DT_NEEDED) result.needed.push_back(elf.string(section, entry.d_un.d_val));
  });
  return result;
}

}  // namespace ckptbridge::plugin_check
