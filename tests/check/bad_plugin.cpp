// A plugin that keeps to the rules, but for the one mistake that its file is named after
// (bad.MISTAKE.so): the conformance kit must find that one, and nothing else.
//
// It reads a folder with data.bin: a count of 4 bytes, and as many floats; and writes such a
// folder.
#include <chrono>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "ckptbridge/plugin.hpp"

namespace {

namespace fs = std::filesystem;
using ckptbridge::Error;
using ckptbridge::plugin::Graph;
using ckptbridge::plugin::Layout;

// "bad.MISTAKE"
const std::string& own_id() {
  static const std::string id = [] {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&own_id), &info);
    return fs::path(info.dli_fname).stem().string();
  }();
  return id;
}

bool makes(const std::string& mistake) { return own_id() == "bad." + mistake; }

class BadReader : public ckptbridge::plugin::Reader {
 public:
  static int probe(const char* path) {
    return makes("takes_all") || fs::exists(fs::path(path) / "data.bin") ? 100 : 0;
  }

  BadReader(const char* path, const char* /*options*/) : path_(path) {}

  void read_graph(Graph& out) override {
    if (!fs::exists(path_ / "data.bin"))
      throw Error(CKB_NOT_FOUND, path_.string() + ": no data.bin");
    const ckb_file file = out.open_file("data.bin");
    const std::uint64_t size = out.file_size(file);
    std::uint32_t count = 0;
    if (size < sizeof(count)) throw Error(CKB_CORRUPT, "data.bin: too short");
    out.read_file(file, 0, std::as_writable_bytes(std::span(&count, 1)));
    if (size != 4 + 4 * std::uint64_t{count}) throw Error(CKB_CORRUPT, "data.bin: another size");

    if (makes("crashes")) *static_cast<volatile int*>(nullptr) = 1;
    while (makes("hangs")) std::this_thread::sleep_for(std::chrono::seconds(1));
    if (makes("writes_into_its_input")) std::ofstream(path_ / "left_behind") << "x";

    ckptbridge::plugin::Shape shape{count};
    out.add_storage(file, 4, size - 4);
    if (makes("forgets_a_storage")) out.add_storage(file, 0, 4);
    const ckb_node value = out.add_extent(file, 4, ckptbridge::kFloat32, shape);
    if (makes("gives_a_wrong_shape")) shape[0] += 1;
    const std::string name = makes("differs_each_time") ? std::to_string(++calls_) : "w";
    out.add_tensor({.name = name, .value = value}, shape, ckptbridge::kFloat32);
    out.set_property("names", "bad");
    out.set_property("mp_world_size", "1");
  }

 private:
  static inline std::size_t calls_ = 0;
  fs::path path_;
};

class BadWriter : public ckptbridge::plugin::Writer {
 public:
  explicit BadWriter(const char* /*options*/) {}

  void lay_out(Graph& graph, Layout& out) override {
    const auto in = graph.view();
    if (in.tensor_count() != 1 || !(in.tensor(0).dtype == ckptbridge::kFloat32) ||
        in.tensor(0).shape.size() != 1) {
      throw Error(CKB_UNSUPPORTED, "one vector of floats was expected");
    }
    const auto tensor = in.tensor(0);
    const auto count = static_cast<std::uint32_t>(tensor.shape[0]);
    const std::uint64_t size = 4 + 4 * std::uint64_t{count} + (makes("leaves_a_hole") ? 1 : 0);
    const std::uint32_t file =
        out.add_file(makes("leaves_its_folder") ? "../data.bin" : "data.bin", size);
    out.put_bytes(file, 0, std::as_bytes(std::span(&count, 1)));
    out.put_value(file, 4, tensor.value);
    if (makes("overlaps_itself")) out.put_zeros(file, 2, 4);
  }
};

// The thunks of plugin.hpp make no such mistakes: these are for tables written by hand.
const ckb_reader* good_table() { return ckptbridge::plugin::reader_table<BadReader>(); }

bool is_path_of_the_kit(const char* path) { return std::string_view(path) == "/no/such"; }

const ckb_reader* reader() {
  static ckb_reader table = *good_table();
  if (makes("throws")) {
    table.read_graph = [](void* self, ckb_graph* graph, ckb_error* error) -> ckb_status {
      const ckb_status status = good_table()->read_graph(self, graph, error);
      if (status == CKB_OK) throw 42;
      return status;
    };
  }
  if (makes("says_nothing")) {
    table.open = [](const char* path, const char* options, void** self, ckb_error* error) {
      return is_path_of_the_kit(path) ? CKB_IO : good_table()->open(path, options, self, error);
    };
  }
  if (makes("touches_self")) {
    table.open = [](const char* path, const char* options, void** self, ckb_error* error) {
      if (!is_path_of_the_kit(path)) return good_table()->open(path, options, self, error);
      *self = nullptr;
      return ckptbridge::plugin::host->fail(error, CKB_NOT_FOUND, "/no/such: is not there");
    };
  }
  return &table;
}

}  // namespace

CKPTBRIDGE_PLUGIN(makes("lies_about_its_id") ? "bad.other" : own_id().c_str(), "1", reader(),
                  nullptr, ckptbridge::plugin::writer_table<BadWriter>())
