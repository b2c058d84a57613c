// Fiddle's serialization, version 0.0.1 (fiddle/_src/experimental/serialization.py):
//   root        {"type": "ref", "key": KEY} of the outermost configuration
//   objects     KEY: {type, items, metadata, paths}, each after the objects that it needs
//   refcounts   KEY: how often it is referred to; 1, as nothing in the tree is shared
//   version     "0.0.1"
// A KEY is the class's name in snake case and a number per name, from 1.
// A class with arguments makes five objects: the tuple of its argument names, two empty dicts for
// tags and history, the metadata, and the configuration itself, whose items are its arguments.
// A dict makes one, and a tuple of its keys unless it is empty.
// Scalars and references stand in the items; a reference lists every path at which it occurs.
#include "plugins/evo2/fiddle.h"

#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ckptbridge/error.hpp"

namespace ckptbridge::evo2 {
namespace {

// An underscore wherever a capital follows a small letter or a digit: Hyena7bARCLongContextConfig
// is hyena7b_arclong_context_config.
std::string snake_case(const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (i > 0 && std::isupper(c) != 0 &&
        std::isupper(static_cast<unsigned char>(name[i - 1])) == 0 && name[i - 1] != '_') {
      out += '_';
    }
    out += static_cast<char>(std::tolower(c));
  }
  return out;
}

Json pyref(const std::string& module, const std::string& name) {
  return {{"type", "pyref"}, {"module", module}, {"name", name}};
}

Json builtin(const std::string& name) { return pyref("builtins", name); }

Json object_ref(const std::string& key) { return {{"type", "ref"}, {"key", key}}; }

std::string member_path(std::string path, const std::string& name) {
  return path.append(".").append(name);
}

std::string entry_path(std::string path, const std::string& name) {
  return path.append("['").append(name).append("']");
}

std::string attribute(const std::string& name) { return "Attr(name='" + name + "')"; }

class Serializer {
 public:
  Json run(const Json& tree) {
    collect_references(tree, "<root>");
    const Json root = value(tree, "<root>");
    Json refcounts = Json::object();
    for (const auto& [key, object] : objects_.items()) refcounts[key] = 1;
    return {{"root", root}, {"objects", objects_}, {"refcounts", refcounts}, {"version", "0.0.1"}};
  }

 private:
  static std::pair<std::string, std::string> python_name(const Json& json) {
    if (!json.is_array() || json.size() != 2 || !json[0].is_string() || !json[1].is_string()) {
      throw Error(CKB_INVALID_ARGUMENT,
                  "configuration tree: expected [module, name], found " + json.dump());
    }
    return {json[0].text(), json[1].text()};
  }

  void collect_references(const Json& tree, const std::string& path) {
    if (!tree.is_object()) return;
    if (tree.contains("reference")) paths_[python_name(tree["reference"])].push_back(path);
    if (tree.contains("arguments")) {
      for (const auto& [name, argument] : tree["arguments"].items()) {
        collect_references(argument, member_path(path, name));
      }
    }
    if (tree.contains("dict")) {
      for (const auto& [name, entry] : tree["dict"].items()) {
        collect_references(entry, entry_path(path, name));
      }
    }
  }

  std::string add(const std::string& name, Json object) {
    std::string key = name + "_" + std::to_string(++counts_[name]);
    objects_[key] = std::move(object);
    return key;
  }

  std::string add_tuple(const Json& named) {
    Json items = Json::array();
    for (const auto& [name, value] : named.items()) {
      items.push_back({"Index(index=" + std::to_string(items.size()) + ")", name});
    }
    return add("tuple", {{"type", builtin("tuple")}, {"items", items}, {"metadata", nullptr}});
  }

  static Json empty_tuple() {
    return {{"type", builtin("tuple")}, {"items", Json::array()}, {"metadata", nullptr}};
  }

  static Json empty_dict() {
    return {{"type", builtin("dict")}, {"items", Json::array()}, {"metadata", empty_tuple()}};
  }

  Json value(const Json& tree, const std::string& path) {
    if (!tree.is_array() && !tree.is_object()) {
      return {{"type", "leaf"}, {"value", tree}, {"paths", Json::array({path})}};
    }
    if (tree.is_object() && tree.contains("reference")) {
      const auto name = python_name(tree["reference"]);
      Json out = pyref(name.first, name.second);
      out["paths"] = paths_.at(name);
      return out;
    }
    if (tree.is_object() && tree.contains("dict")) return dict(tree["dict"], path);
    if (tree.is_object() && tree.contains("class") && tree.contains("arguments")) {
      return config(tree, path);
    }
    throw Error(CKB_INVALID_ARGUMENT,
                "configuration tree: " + path + ": expected a class, a dict or a reference");
  }

  Json dict(const Json& entries, const std::string& path) {
    Json object = empty_dict();
    for (const auto& [name, entry] : entries.items()) {
      object["items"].push_back(
          Json::array({"Key(key='" + name + "')", value(entry, entry_path(path, name))}));
    }
    if (!entries.empty()) object["metadata"] = object_ref(add_tuple(entries));
    object["paths"] = Json::array({path});
    return object_ref(add("dict", std::move(object)));
  }

  Json config(const Json& tree, const std::string& path) {
    const auto [module, name] = python_name(tree["class"]);
    const Json& arguments = tree["arguments"];
    Json items = Json::array();
    for (const auto& [argument, subtree] : arguments.items()) {
      items.push_back(
          Json::array({attribute(argument), value(subtree, member_path(path, argument))}));
    }
    const Json type = pyref("fiddle._src.config", "BuildableTraverserMetadata");
    const std::string names = add_tuple(arguments);
    const std::string tags = add("dict", empty_dict());
    const std::string history = add("dict", empty_dict());
    const Json parts = Json::array({
        Json::array({attribute("fn_or_cls"), pyref(module, name)}),
        Json::array({attribute("argument_names"), object_ref(names)}),
        Json::array({attribute("argument_tags"), object_ref(tags)}),
        Json::array({attribute("argument_history"), object_ref(history)}),
    });
    const std::string metadata =
        add("buildable_traverser_metadata", {{"type", type}, {"items", parts}, {"metadata", type}});
    return object_ref(add(snake_case(name), {{"type", pyref("fiddle._src.config", "Config")},
                                             {"items", items},
                                             {"metadata", object_ref(metadata)},
                                             {"paths", Json::array({path})}}));
  }

  Json objects_ = Json::object();
  std::map<std::string, int> counts_;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> paths_;
};

}  // namespace

Json fiddle_json(const Json& tree) { return Serializer().run(tree); }

}  // namespace ckptbridge::evo2
