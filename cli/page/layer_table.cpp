#include "cli/page/layer_table.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/page/html_page.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

// What is said of one name: its ranks and replicas together.
struct Row {
  std::vector<const WrittenTensor*> parts;
  std::uint64_t bytes = 0;
};

struct Layer {
  std::string name;
  std::vector<Row> rows;
  std::uint64_t bytes = 0;
};

std::vector<Layer> layers_of(const Conversion& run, const Trace& all) {
  std::vector<Layer> layers;
  std::unordered_map<std::string_view, std::size_t> layer_at;
  std::map<std::pair<std::string_view, std::string_view>, std::pair<std::size_t, std::size_t>> rows;
  for (const WrittenTensor& written : all.written) {
    const Tensor& tensor = *written.tensors.front();
    const std::string_view name = layer_of(tensor.name);
    const auto [layer, is_new] = layer_at.try_emplace(name, layers.size());
    if (is_new) layers.push_back({std::string(name), {}, 0});
    Layer& here = layers[layer->second];
    const auto [row, is_first] =
        rows.try_emplace({tensor.name, tensor.role}, std::pair(layer->second, here.rows.size()));
    if (is_first) here.rows.emplace_back();
    const std::uint64_t bytes = run.source.arena->nodes.size(tensor.value) * written.tensors.size();
    here.rows[row->second.second].parts.push_back(&written);
    here.rows[row->second.second].bytes += bytes;
    here.bytes += bytes;
  }
  return layers;
}

// The first few of some words, each once.
std::string few(const std::vector<std::string>& words) {
  constexpr std::size_t kFew = 3;
  std::vector<std::string> distinct;
  std::set<std::string> seen;
  for (const std::string& word : words) {
    if (seen.insert(word).second) distinct.push_back(word);
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(kFew, distinct.size()); ++i) {
    text += (i == 0 ? "" : "<br/>") + html_name(distinct[i]);
  }
  if (distinct.size() > kFew) {
    text +=
        fmt::format(" <span class=\"soft\">and {} more</span>", count_text(distinct.size() - kFew));
  }
  return text;
}

std::string row_html(const Conversion& run, const Row& row) {
  const Nodes& nodes = run.source.arena->nodes;
  const Tensor& tensor = *row.parts.front()->tensors.front();
  std::vector<std::string> made_of;
  std::vector<std::string> places;
  std::set<std::string> dtypes;
  for (const WrittenTensor* part : row.parts) {
    for (const Tensor* source : part->sources) {
      made_of.push_back(source->name);
      dtypes.insert(dtype_name(nodes.dtype(source->value)));
    }
    for (const OutputPlace& place : part->places) {
      places.push_back(fmt::format("{} @ {}", run.layout.files()[place.file].path,
                                   count_text(place.segment.offset)));
    }
  }
  const std::string to = dtype_name(nodes.dtype(tensor.value));
  std::string from = list_text({dtypes.begin(), dtypes.end()});
  from = from.empty() || from == to ? "" : from + " → ";
  std::string shape = shape_text(tensor.shape);
  if (tensor.mp_world_size > 1) shape += fmt::format(" × {} ranks", tensor.mp_world_size);
  return fmt::format(
      "<tr><td>{}<br/><span class=\"soft\">{}</span></td><td>{}<br/>{}</td><td "
      "class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
      html_name(tensor.name), html_text(tensor.role), html_text(from + to), html_text(shape),
      size_text(row.bytes), few(made_of), few(places));
}

std::string unwritten_html(const Trace& all) {
  if (all.unwritten.empty()) return "";
  std::map<std::string, std::vector<std::string>> names;  // by reason
  for (const auto& [tensor, reason] : all.unwritten) {
    names[reason.empty() ? "no tensor of the output" : reason].push_back(
        tensor->mp_world_size > 1 ? fmt::format("{} (rank {})", tensor->name, tensor->mp_rank)
                                  : tensor->name);
  }
  std::string text = fmt::format(
      "<details><summary><span class=\"drop\">not written</span> <span class=\"soft\">{} of the "
      "input</span></summary><div>\n",
      count_text(all.unwritten.size()));
  for (const auto& [reason, tensors] : names) {
    text += fmt::format("<details><summary>{}: {}</summary><div>\n", html_text(reason),
                        count_text(tensors.size()));
    for (const std::string& name : tensors) text += html_name(name) + "<br/>\n";
    text += "</div></details>\n";
  }
  return text + "</div></details>\n";
}

}  // namespace

std::string_view layer_of(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view word = name.substr(begin, end - begin);
    if (!word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos) {
      return name.substr(0, end);
    }
    begin = end + 1;
  }
  return name.substr(0, name.rfind('.'));
}

std::string layer_tables(const Conversion& run, const Trace& all) {
  std::string text;
  for (const Layer& layer : layers_of(run, all)) {
    text += fmt::format(
        "<details><summary>{} <span class=\"soft\">{}, {}</span></summary>\n<div "
        "class=\"wide\"><table>\n<tr><th>name</th><th>dtype, shape</th><th "
        "class=\"number\">size</th><th>made "
        "of</th><th>goes to</th></tr>\n",
        html_name(layer.name), counted(layer.rows.size(), "tensor"), size_text(layer.bytes));
    for (const Row& row : layer.rows) text += row_html(run, row);
    text += "</table></div></details>\n";
  }
  return text + unwritten_html(all);
}

}  // namespace ckptbridge::cli
