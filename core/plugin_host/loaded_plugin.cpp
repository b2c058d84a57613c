#include "core/plugin_host/loaded_plugin.h"

#include <deque>

#include <boost/dll/shared_library.hpp>
#include <fmt/format.h>

#include "ckptbridge/draft/compute.h"
#include "ckptbridge/error.hpp"

namespace ckptbridge {
namespace {

// Loads a library and keeps it for the life of the process: the handles are leaked on purpose, as
// destroying them would unload code that an error or a thread may still need.
const boost::dll::shared_library& load_for_ever(const boost::filesystem::path& path) {
  static auto& libraries = *new std::deque<boost::dll::shared_library>;
  // Unresolved symbols fail here, with a name; plugins do not see each other's symbols.
  return libraries.emplace_back(
      path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
}

// dlopen's text without what Boost appends from an errno that has nothing to do with it.
std::string without_errno(const std::string& text) {
  const std::size_t end = text.rfind(": ");
  const std::size_t begin = text.find(".so");
  return end != std::string::npos && begin != std::string::npos && end > begin ? text.substr(0, end)
                                                                               : text;
}

[[noreturn]] void refuse(const Manifest& manifest, const std::string& why) {
  throw Error(CKB_INVALID_ARGUMENT,
              fmt::format("plugin {} ({}): {}", manifest.id, manifest.path.string(), why));
}

void require_same(const Manifest& manifest, const char* what, const std::string& said,
                  const std::string& found) {
  if (said != found) {
    refuse(manifest, fmt::format("the manifest says {} {}, the library {}; install both from one "
                                 "package",
                                 what, said, found));
  }
}

// True if the side that made the table knows everything up to and including its last 1.0 member.
template <class Table, class Member>
bool complete(const Table* table, Member Table::*last) {
  return table == nullptr ||
         table->struct_size >=
             static_cast<std::size_t>(reinterpret_cast<const char*>(&(table->*last) + 1) -
                                      reinterpret_cast<const char*>(table));
}

// Calls into the plugin; what it reports is thrown with its id in front.
template <class Body>
void call_plugin(const std::string& id, Body&& body) {
  ckb_error error;
  ckb_status status = CKB_OK;
  try {
    status = body(&error);
  } catch (...) {
    // Undefined by plugin.h, but with the same standard library it arrives.
    throw Error(CKB_INTERNAL, id + ": an exception came out of the plugin, which is its bug");
  }
  if (status == CKB_OK) return;
  if (error.message.empty()) {
    error.message = fmt::format("gave status {} without a message", status);
  }
  Error failure(status, fmt::format("{}: {}", id, error.message));
  failure.add(error.about);
  throw failure;
}

// An open reader, transform or writer; closed at the end of its one use.
template <class Table>
class Opened {
 public:
  template <class Open>
  Opened(const std::string& id, const Table* table, Open&& open) : table_(table) {
    call_plugin(id, [&](ckb_error* error) { return open(&self_, error); });
  }
  ~Opened() { table_->close(self_); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  void* self() const { return self_; }

 private:
  const Table* table_;
  void* self_ = nullptr;
};

// Says whose expectations are those from number first on.
void sign_expectations(Arena& arena, std::size_t first, const std::string& id) {
  for (std::size_t i = first; i < arena.expectations.size(); ++i) arena.expectations[i].plugin = id;
}

}  // namespace

Plugin::Plugin(const Manifest& manifest, const ckb_host* table) : id_(manifest.id) {
  const boost::filesystem::path path = manifest.library_path();
  try {
    const auto& library = load_for_ever(path);
    const auto entry = library.get<const ckb_plugin*(const ckb_host*)>("ckptbridge_plugin_v1");
    plugin_ = entry(table);
  } catch (const boost::system::system_error& e) {
    refuse(manifest, without_errno(e.what()));
  }
  if (plugin_ == nullptr) refuse(manifest, "it needs a newer ckptbridge");
  if (!complete(plugin_, &ckb_plugin::extension) ||
      !complete(plugin_->reader, &ckb_reader::close) ||
      !complete(plugin_->transform, &ckb_transform::close) ||
      !complete(plugin_->writer, &ckb_writer::close)) {
    refuse(manifest, "its tables are shorter than those of ABI 1.0");
  }
  require_same(manifest, "id", manifest.id, plugin_->id);
  require_same(manifest, "version", manifest.version, plugin_->version);
  const auto require_role = [&](Role role, const void* found, const char* name) {
    const char* const words[] = {"has none", "has one"};
    require_same(manifest, name, words[manifest.has(role) ? 1 : 0],
                 words[found != nullptr ? 1 : 0]);
  };
  require_role(Role::kReader, plugin_->reader, "reader:");
  require_role(Role::kTransform, plugin_->transform, "transform:");
  require_role(Role::kWriter, plugin_->writer, "writer:");
  require_role(Role::kCompute, extension(CKB_COMPUTE), "extension " CKB_COMPUTE ":");
}

int Plugin::probe(const std::string& path) const { return plugin_->reader->probe(path.c_str()); }

Graph Plugin::read_graph(const std::string& path, const std::string& options, Arena& arena) const {
  const ckb_reader* reader = plugin_->reader;
  const Opened opened(id_, reader, [&](void** self, ckb_error* error) {
    return reader->open(path.c_str(), options.c_str(), self, error);
  });
  Graph graph(arena);
  const std::size_t expected = arena.expectations.size();
  ckb_graph handle{graph};
  call_plugin(id_,
              [&](ckb_error* error) { return reader->read_graph(opened.self(), &handle, error); });
  sign_expectations(arena, expected, id_);
  return graph;
}

Graph Plugin::rewrite(const Graph& in, const std::string& options) const {
  const ckb_transform* transform = plugin_->transform;
  const Opened opened(id_, transform, [&](void** self, ckb_error* error) {
    return transform->open(options.c_str(), self, error);
  });
  Graph out(in.arena());
  // Behind a const handle a plugin can only look.
  const ckb_graph in_handle{const_cast<Graph&>(in)};
  const std::size_t expected = in.arena().expectations.size();
  ckb_graph out_handle{out};
  call_plugin(id_, [&](ckb_error* error) {
    return transform->rewrite(opened.self(), &in_handle, &out_handle, error);
  });
  sign_expectations(in.arena(), expected, id_);
  require_objects_kept(in, out, id_);
  return out;
}

Layout Plugin::lay_out(Graph& graph, const std::string& options) const {
  const ckb_writer* writer = plugin_->writer;
  const Opened opened(id_, writer, [&](void** self, ckb_error* error) {
    return writer->open(options.c_str(), self, error);
  });
  Layout layout;
  ckb_graph graph_handle{graph};
  ckb_layout layout_handle{layout, graph.arena().nodes};
  const std::size_t tensors = graph.tensors().size();
  call_plugin(id_, [&](ckb_error* error) {
    return writer->lay_out(opened.self(), &graph_handle, &layout_handle, error);
  });
  if (graph.tensors().size() != tensors) {
    throw Error(CKB_INTERNAL, id_ + ": a writer may not add tensors to the graph");
  }
  call_plugin(id_, [&](ckb_error* error) -> ckb_status {
    try {
      layout.finish();
      return CKB_OK;
    } catch (const Error& e) {
      *error = {e.what(), e.about()};
      return e.code();
    }
  });
  return layout;
}

const void* Plugin::extension(const char* name) const {
  return plugin_->extension == nullptr ? nullptr : plugin_->extension(name);
}

void Plugin::call(const std::function<ckb_status(ckb_error*)>& body) const {
  call_plugin(id_, body);
}

}  // namespace ckptbridge
