#include "tests/cli/errors/edited.h"

#include <cstring>
#include <fstream>
#include <span>

#include "plugins/torch_file/lookup.h"
#include "plugins/torch_file/pickler.h"
#include "plugins/torch_file/tensor.h"
#include "plugins/torch_file/torch_file.h"
#include "plugins/torch_file/unpickler.h"
#include "tests/unit/temp_folder.h"

namespace ckptbridge::errors {
namespace {

namespace tf = torch_file;

void write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string_view as_text(const tf::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

tf::ValueId Edited::at(const std::vector<std::string>& keys) const {
  tf::ValueId id = root;
  for (const std::string& key : keys) id = tf::require(values, id, key, "the edited file");
  return id;
}

void Edited::set(tf::ValueId dict, const std::string& key, tf::ValueId value) const {
  values.set_item(dict, values.string(key), value);
}

void Edited::set_field(tf::ValueId object, const std::string& name, tf::ValueId value) const {
  values.set_state(object, values.dict({{values.string(name), value}}));
}

tf::ValueId Edited::field(tf::ValueId object, const std::string& name) const {
  return tf::attribute(values, object, name).value();
}

tf::ValueId Edited::tensor(Dtype dtype, const std::vector<std::int64_t>& shape) {
  const std::string key = std::to_string(sizes.size());
  sizes.push_back(item_size(dtype));
  for (const std::int64_t size : shape) sizes.back() *= static_cast<std::uint64_t>(size);
  return tf::make_tensor(values, key, dtype, shape, false);
}

void edit_pt(const std::string& path, const Edit& edit) {
  const std::string text = TempFolder::text_of(path);
  const tf::MemorySource source(std::as_bytes(std::span(text)), path);
  tf::TorchFile pt = tf::read_torch_file(source);
  Edited edited{pt.values, pt.root};
  for (std::size_t i = 0; i < pt.storages.size(); ++i) {
    edited.sizes.push_back(pt.storages.at(std::to_string(i)).size);
  }
  edit(edited);
  const auto zip = tf::lay_out_torch_file(tf::pickle(pt.values, edited.root), edited.sizes);
  std::string file(zip.size, '\0');
  for (const auto& literal : zip.literals) {
    std::memcpy(file.data() + literal.offset, literal.bytes.data(), literal.bytes.size());
  }
  write(path, file);
}

void edit_pickle(const std::string& path, const Edit& edit) {
  const std::string text = TempFolder::text_of(path);
  tf::Values values;
  Edited edited{values, tf::unpickle(values, std::as_bytes(std::span(text)), path).root};
  edit(edited);
  write(path, as_text(tf::pickle(values, edited.root)));
}

}  // namespace ckptbridge::errors
