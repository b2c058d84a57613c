// C++ over plugin.h: derive, throw, and never see a void*.
//
// Header-only and compiled into each plugin, so no C++ type, exception or allocation crosses the
// boundary. The virtual functions below are called by thunks in the same shared library, which turn
// what is thrown into a status and a message.
//
//   class MyReader : public ckptbridge::plugin::Reader {
//    public:
//     static int probe(const char* path);                  // 0: not this format; 100: certain;
//                                                          // throws where it cannot look
//     MyReader(const char* path, const char* options);     // options: a JSON object
//     void read_graph(ckptbridge::plugin::Graph& out) override;
//   };
//   CKPTBRIDGE_READER(MyReader, "vendor.my-reader", "1.0")
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ckptbridge/draft/checksums.h"
#include "ckptbridge/draft/error_about.h"
#include "ckptbridge/dtype.hpp"
#include "ckptbridge/error.hpp"
#include "ckptbridge/plugin.h"

namespace ckptbridge::plugin {

// The table of the host that loaded this plugin; set by the entry point before anything else runs.
// It stays valid until the process ends, and a host passes the same one each time.
CKB_LOCAL inline const ckb_host* host = nullptr;

namespace detail {

// A failure whose message the host has set already.
struct Reported {
  ckb_status code;
};

// Tells a host that listens what a failure is about, besides its message.
inline void tell_about(ckb_error* error, const About& about) noexcept {
  const auto* table = static_cast<const ckb_error_about*>(host->extension(host, CKB_ERROR_ABOUT));
  if (table == nullptr || !CKB_HAS(table, set)) return;
  table->set(error, about.file.c_str(), about.tensor.c_str(), about.hint.c_str());
}

// Runs body and turns whatever it throws into a status.
template <class Body>
ckb_status guard(ckb_error* error, Body&& body) noexcept {
  try {
    body();
    return CKB_OK;
  } catch (const Reported& e) {
    return e.code;
  } catch (const Error& e) {
    const ckb_status code = host->fail(error, e.code(), e.what());
    tell_about(error, e.about());
    return code;
  } catch (const std::bad_alloc&) {
    return host->fail(error, CKB_INTERNAL, "out of memory");
  } catch (const std::exception& e) {
    return host->fail(error, CKB_INTERNAL, e.what());
  } catch (...) {
    return host->fail(error, CKB_INTERNAL, "unknown exception");
  }
}

// What crosses the boundary ends at its first zero byte. A text that has one comes from a file, and
// is refused rather than cut.
inline const std::string& whole(const std::string& text) {
  if (text.find('\0') == std::string::npos) return text;
  std::string shown;
  for (const char c : text) shown += c == '\0' ? std::string("\\x00") : std::string(1, c);
  throw Error(CKB_CORRUPT, "the name \"" + shown + "\" has a zero byte");
}

// What all handles do: hold the handle and the error that its calls report to.
template <class Handle>
class Wrapper {
 public:
  Wrapper(Handle* handle, ckb_error* error) : handle_(handle), error_(error) {}
  Handle* get() const { return handle_; }
  ckb_error* error() const { return error_; }

 protected:
  static void check(ckb_status status) {
    if (status != CKB_OK) throw Reported{status};
  }

  Handle* handle_;
  ckb_error* error_;
};

}  // namespace detail

using Shape = std::vector<std::int64_t>;

// One shard of a tensor to add; see ckb_tensor. Shape and dtype are the value's.
struct NewTensor {
  std::string_view name;
  std::string_view role = "param";
  ckb_node value = 0;
  std::int32_t mp_rank = 0;
  std::int32_t mp_world_size = 1;
  std::int32_t partition_dim = CKB_PARTITION_UNKNOWN;
  std::uint32_t flags = 0;
  std::uint32_t row_blocks = 0;
};

// One tensor of a graph. Borrowed from the graph.
struct TensorView {
  std::string_view name;
  std::string_view role;
  std::span<const std::int64_t> shape;
  Dtype dtype;
  ckb_node value;
  std::int32_t mp_rank;
  std::int32_t mp_world_size;
  std::int32_t partition_dim;
  std::uint32_t flags;
  std::uint32_t row_blocks;
  std::uint32_t position;
};

// One object of a graph. Borrowed from the graph.
struct ObjectView {
  std::string_view name;
  std::string_view kind;  // "json", "pickle", "bytes"
  std::span<const std::byte> data;
  std::span<const ckb_node> storages;
  std::int32_t mp_rank;
  std::uint32_t position;
};

// A graph to look at.
class ConstGraph : public detail::Wrapper<const ckb_graph> {
 public:
  using Wrapper::Wrapper;

  std::uint64_t tensor_count() const { return host->tensor_count(handle_); }
  TensorView tensor(std::uint64_t index) const {
    ckb_tensor t{};
    t.struct_size = sizeof(t);
    check(host->tensor_at(handle_, index, &t, error_));
    return {t.name,          t.role,          {t.shape, t.ndim}, t.dtype,      t.value,   t.mp_rank,
            t.mp_world_size, t.partition_dim, t.flags,           t.row_blocks, t.position};
  }
  std::uint64_t object_count() const { return host->object_count(handle_); }
  ObjectView object(std::uint64_t index) const {
    ckb_object o{};
    o.struct_size = sizeof(o);
    check(host->object_at(handle_, index, &o, error_));
    return {o.name,
            o.kind,
            {static_cast<const std::byte*>(o.data), o.size},
            {o.storages, o.storage_count},
            o.mp_rank,
            o.position};
  }
  // "" when not set.
  std::string_view property(const char* key) const { return host->property(handle_, key); }
};

// A graph under construction: one method for each function of the host's table. A call that the
// host refuses throws, and the plugin's call fails with the host's message.
class Graph : public detail::Wrapper<ckb_graph> {
 public:
  using Wrapper::Wrapper;

  ConstGraph view() const { return {handle_, error_}; }

  ckb_file open_file(const std::string& path) {
    const char* paths[] = {detail::whole(path).c_str()};
    ckb_file file = 0;
    check(host->open_file(handle_, 1, paths, &file, error_));
    return file;
  }
  ckb_file open_file(std::span<const std::string> pieces) {
    std::vector<const char*> paths;
    for (const std::string& piece : pieces) paths.push_back(detail::whole(piece).c_str());
    ckb_file file = 0;
    check(host->open_file(handle_, static_cast<std::uint32_t>(paths.size()), paths.data(), &file,
                          error_));
    return file;
  }
  std::uint64_t file_size(ckb_file file) const { return host->file_size(handle_, file); }
  void read_file(ckb_file file, std::uint64_t offset, std::span<std::byte> data) const {
    check(host->read_file(handle_, file, offset, data.size(), data.data(), error_));
  }

  void add_storage(ckb_file file, std::uint64_t offset, std::uint64_t size) {
    check(host->add_storage(handle_, file, offset, size, error_));
  }
  // What the file says of the CRC-32 of a declared storage (draft/checksums.h); a host that is too
  // old to check it is told nothing.
  void expect_crc32(ckb_file file, std::uint64_t offset, std::uint64_t size, std::uint32_t crc32,
                    const std::string& what) {
    const auto* checksums = static_cast<const ckb_checksums*>(host->extension(host, CKB_CHECKSUMS));
    if (checksums == nullptr) return;
    check(checksums->expect_crc32(handle_, file, offset, size, crc32, detail::whole(what).c_str(),
                                  error_));
  }
  // strides in elements; none: contiguous.
  ckb_node add_extent(ckb_file file, std::uint64_t offset, Dtype dtype,
                      std::span<const std::int64_t> shape,
                      std::span<const std::int64_t> strides = {}) {
    ckb_node node = 0;
    check(host->add_extent(handle_, file, offset, dtype, static_cast<std::uint32_t>(shape.size()),
                           shape.data(), strides.empty() ? nullptr : strides.data(), &node,
                           error_));
    return node;
  }
  ckb_node add_constant(Dtype dtype, std::span<const std::int64_t> shape,
                        std::span<const std::byte> data) {
    ckb_node node = 0;
    check(host->add_constant(handle_, dtype, static_cast<std::uint32_t>(shape.size()), shape.data(),
                             data.data(), &node, error_));
    return node;
  }
  ckb_node slice(ckb_node value, std::uint32_t dim, std::int64_t begin, std::int64_t end) {
    ckb_node node = 0;
    check(host->slice(handle_, value, dim, begin, end, &node, error_));
    return node;
  }
  ckb_node concat(std::span<const ckb_node> values, std::uint32_t dim) {
    ckb_node node = 0;
    check(host->concat(handle_, static_cast<std::uint32_t>(values.size()), values.data(), dim,
                       &node, error_));
    return node;
  }
  ckb_node reshape(ckb_node value, std::span<const std::int64_t> shape) {
    ckb_node node = 0;
    check(host->reshape(handle_, value, static_cast<std::uint32_t>(shape.size()), shape.data(),
                        &node, error_));
    return node;
  }
  ckb_node permute(ckb_node value, std::span<const std::uint32_t> dims) {
    ckb_node node = 0;
    check(host->permute(handle_, value, static_cast<std::uint32_t>(dims.size()), dims.data(), &node,
                        error_));
    return node;
  }
  ckb_node cast(ckb_node value, Dtype dtype) {
    ckb_node node = 0;
    check(host->cast(handle_, value, dtype, &node, error_));
    return node;
  }

  void add_tensor(const NewTensor& tensor, std::span<const std::int64_t> shape, Dtype dtype) {
    const std::string name(tensor.name);
    const std::string role(tensor.role);
    ckb_tensor t{};
    t.struct_size = sizeof(t);
    t.ndim = static_cast<std::uint32_t>(shape.size());
    t.name = detail::whole(name).c_str();
    t.role = detail::whole(role).c_str();
    t.shape = shape.data();
    t.dtype = dtype;
    t.value = tensor.value;
    t.mp_rank = tensor.mp_rank;
    t.mp_world_size = tensor.mp_world_size;
    t.partition_dim = tensor.partition_dim;
    t.flags = tensor.flags;
    t.row_blocks = tensor.row_blocks;
    check(host->add_tensor(handle_, &t, error_));
  }
  void add_object(std::string_view name, const char* kind, std::span<const std::byte> data,
                  std::span<const ckb_node> storages = {}, std::int32_t mp_rank = 0) {
    const std::string own_name(name);
    ckb_object o{};
    o.struct_size = sizeof(o);
    o.mp_rank = mp_rank;
    o.name = detail::whole(own_name).c_str();
    o.kind = kind;
    o.data = data.data();
    o.size = data.size();
    o.storages = storages.empty() ? nullptr : storages.data();
    o.storage_count = static_cast<std::uint32_t>(storages.size());
    check(host->add_object(handle_, &o, error_));
  }
  void add_object(std::string_view name, const char* kind, std::string_view text) {
    add_object(name, kind, std::as_bytes(std::span(text)));
  }
  void set_property(const std::string& key, const std::string& value) {
    check(host->set_property(handle_, detail::whole(key).c_str(), detail::whole(value).c_str(),
                             error_));
  }
  void drop(ckb_node value, const std::string& reason) {
    check(host->drop(handle_, value, detail::whole(reason).c_str(), error_));
  }
  // Bytes of a declared storage of which no value was made.
  void drop_bytes(ckb_file file, std::uint64_t offset, std::uint64_t size,
                  const std::string& reason) {
    const Shape shape{static_cast<std::int64_t>(size)};
    drop(add_extent(file, offset, kUInt8, shape), reason);
  }
  void drop_object(std::string_view name, const std::string& reason) {
    const std::string own_name(name);
    check(host->drop_object(handle_, detail::whole(own_name).c_str(), detail::whole(reason).c_str(),
                            error_));
  }
  void drop_untouched(ckb_file file, std::uint64_t offset, std::uint64_t size,
                      const std::string& reason) {
    check(host->drop_untouched(handle_, file, offset, size, detail::whole(reason).c_str(), error_));
  }
  void note(const std::string& text) {
    check(host->note(handle_, detail::whole(text).c_str(), error_));
  }
  void expect_equal(ckb_node kept, ckb_node other, const std::string& what,
                    bool warn_only = false) {
    check(host->expect_equal(handle_, kept, other, detail::whole(what).c_str(), warn_only ? 1 : 0,
                             error_));
  }
};

// What a writer fills; one method for each function of the host's table.
class Layout : public detail::Wrapper<ckb_layout> {
 public:
  using Wrapper::Wrapper;

  std::uint32_t add_file(const std::string& path, std::uint64_t size) {
    std::uint32_t file = 0;
    check(host->add_file(handle_, detail::whole(path).c_str(), size, &file, error_));
    return file;
  }
  void put_bytes(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> data) {
    check(host->put_bytes(handle_, file, offset, data.data(), data.size(), error_));
  }
  void put_zeros(std::uint32_t file, std::uint64_t offset, std::uint64_t size) {
    check(host->put_zeros(handle_, file, offset, size, error_));
  }
  void put_value(std::uint32_t file, std::uint64_t offset, ckb_node value) {
    check(host->put_value(handle_, file, offset, value, error_));
  }
  void put_crc32(std::uint32_t file, std::uint64_t offset, std::uint64_t from, std::uint64_t size) {
    check(host->put_crc32(handle_, file, offset, from, size, error_));
  }
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual void read_graph(Graph& out) = 0;
};

class Transform {
 public:
  virtual ~Transform() = default;
  virtual void rewrite(const ConstGraph& in, Graph& out) = 0;
};

class Writer {
 public:
  virtual ~Writer() = default;
  virtual void lay_out(Graph& graph, Layout& out) = 0;
};

// The C table of a Reader R that has a static probe(path) and a constructor R(path, options).
template <class R>
const ckb_reader* reader_table() {
  static const ckb_reader table = {
      sizeof(ckb_reader),
      0,
      [](const char* path) noexcept -> std::int32_t {
        try {
          return R::probe(path);
        } catch (...) {
          return -1;
        }
      },
      [](const char* path, const char* options, void** self, ckb_error* error) noexcept {
        return detail::guard(error, [&] { *self = std::make_unique<R>(path, options).release(); });
      },
      [](void* self, ckb_graph* out, ckb_error* error) noexcept {
        return detail::guard(error, [&] {
          Graph graph(out, error);
          static_cast<R*>(self)->read_graph(graph);
        });
      },
      [](void* self) noexcept { delete static_cast<R*>(self); }};
  return &table;
}

// The C table of a Transform T that has a constructor T(options).
template <class T>
const ckb_transform* transform_table() {
  static const ckb_transform table = {
      sizeof(ckb_transform), 0,
      [](const char* options, void** self, ckb_error* error) noexcept {
        return detail::guard(error, [&] { *self = std::make_unique<T>(options).release(); });
      },
      [](void* self, const ckb_graph* in, ckb_graph* out, ckb_error* error) noexcept {
        return detail::guard(error, [&] {
          Graph graph(out, error);
          static_cast<T*>(self)->rewrite(ConstGraph(in, error), graph);
        });
      },
      [](void* self) noexcept { delete static_cast<T*>(self); }};
  return &table;
}

// The C table of a Writer W that has a constructor W(options).
template <class W>
const ckb_writer* writer_table() {
  static const ckb_writer table = {
      sizeof(ckb_writer), 0,
      [](const char* options, void** self, ckb_error* error) noexcept {
        return detail::guard(error, [&] { *self = std::make_unique<W>(options).release(); });
      },
      [](void* self, ckb_graph* in, ckb_layout* out, ckb_error* error) noexcept {
        return detail::guard(error, [&] {
          Graph graph(in, error);
          Layout layout(out, error);
          static_cast<W*>(self)->lay_out(graph, layout);
        });
      },
      [](void* self) noexcept { delete static_cast<W*>(self); }};
  return &table;
}

}  // namespace ckptbridge::plugin

// Exports a plugin with these tables (nullptr for a role that it does not have) and this function
// that finds its extensions by name (nullptr for none). Once per shared library, after the classes
// are complete.
#define CKPTBRIDGE_PLUGIN_WITH(id, version, reader, transform, writer, extension)              \
  extern "C" const ckb_plugin* ckptbridge_plugin_v1(const ckb_host* h) {                       \
    static const ckb_plugin plugin = {                                                         \
        sizeof(ckb_plugin), CKB_ABI_MINOR, id, version, reader, transform, writer, extension}; \
    /* Not written again: threads of the plugin may read it. */                                \
    if (ckptbridge::plugin::host != h) ckptbridge::plugin::host = h;                           \
    return &plugin;                                                                            \
  }

#define CKPTBRIDGE_PLUGIN(id, version, reader, transform, writer) \
  CKPTBRIDGE_PLUGIN_WITH(id, version, reader, transform, writer, nullptr)
#define CKPTBRIDGE_READER(R, id, version) \
  CKPTBRIDGE_PLUGIN(id, version, ckptbridge::plugin::reader_table<R>(), nullptr, nullptr)
#define CKPTBRIDGE_TRANSFORM(T, id, version) \
  CKPTBRIDGE_PLUGIN(id, version, nullptr, ckptbridge::plugin::transform_table<T>(), nullptr)
#define CKPTBRIDGE_WRITER(W, id, version) \
  CKPTBRIDGE_PLUGIN(id, version, nullptr, nullptr, ckptbridge::plugin::writer_table<W>())
#define CKPTBRIDGE_EXTENSIONS(find, id, version) \
  CKPTBRIDGE_PLUGIN_WITH(id, version, nullptr, nullptr, nullptr, find)
