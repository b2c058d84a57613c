#include "cli/page/plan_page.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/page/flow_picture.h"
#include "cli/page/html_page.h"
#include "cli/page/layer_table.h"
#include "cli/version.h"
#include "core/bytes/float_cast.h"
#include "core/graph/origin.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

std::vector<std::string> typed_options(const StepText& step) {
  std::vector<std::string> lines;
  lines.reserve(step.options.size());
  for (const OptionText& option : step.options) {
    lines.push_back(option.value ? option.name + "=" + *option.value : option.name);
  }
  return lines;
}

std::string picture(const Conversion& run) {
  Flow flow;
  flow.declared = run.coverage.declared;
  flow.used = run.coverage.used;
  flow.checked = run.coverage.checked;
  const auto last_name = [](const boost::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name.empty() || name == "." ? path.parent_path().filename().string() : name;
  };
  flow.boxes.push_back({last_name(run.request.input),
                        {counted(run.source.arena->sources.count(), "file"),
                         size_text(run.coverage.declared) + " of tensors"}});
  for (const StepText& step : run.chain.text.steps) {
    flow.boxes.push_back({step.plugin, typed_options(step)});
  }
  flow.boxes.push_back(
      {last_name(run.request.output),
       {counted(run.layout.files().size(), "file"), size_text(run.layout.total_size())}});
  flow.between.assign(flow.boxes.size() - 1, "");
  flow.between.front() = size_text(run.coverage.used);
  flow.between[1] = counted(run.source.graph.tensors().size(), "tensor");
  flow.between[flow.between.size() - 2] = counted(run.target.tensors().size(), "tensor");
  flow.between.back() = size_text(run.layout.total_size());
  return "<div class=\"wide\">\n" + flow_picture(flow) + "</div>\n";
}

std::string fact(const char* name, const std::string& html) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, html);
}

std::string facts(const Conversion& run) {
  std::string text = "<table>\n" + fact("from", html_name(run.request.input.string()));
  for (const auto& [name, words] : plan_facts(run)) text += fact(name.c_str(), html_text(words));
  for (const std::string& note : run.source.arena->notes) text += fact("note", html_text(note));
  for (const std::string& plugin : foreign_plugins(run)) {
    text += fact("plugin from elsewhere", html_name(plugin));
  }
  return text + "</table>\n";
}

std::string list_of_names(const std::string& summary, const std::vector<std::string>& names) {
  std::string text = "<details><summary>" + html_text(summary) + "</summary><div>\n";
  for (const std::string& name : names) text += html_name(name) + "<br/>\n";
  return text + "</div></details>\n";
}

// What is dropped, rounded or not looked at, with reasons.
std::string losses_table(const Losses& losses) {
  std::string text = "<table>\n<tr><th>what</th><th>how much</th><th>why</th></tr>\n";
  const auto add = [&](const char* style, const char* what, const std::string& much,
                       const std::string& why) {
    text += fmt::format("<tr><td class=\"{}\">{}</td><td>{}</td><td>{}</td></tr>\n", style, what,
                        much, why);
  };
  for (const auto& [from, to, tensors] : losses.roundings) {
    add("drop", "rounded", counted(tensors, "tensor"),
        fmt::format("{} has fewer digits than {}; each value becomes the nearest", dtype_name(to),
                    dtype_name(from)));
  }
  for (const DroppedBytes& dropped : losses.dropped) {
    add("drop", "left out", left_out_text(dropped), html_text(dropped.reason));
  }
  for (const auto& [reason, names] : losses.dropped_objects) {
    add("drop", "left out", list_of_names(counted(names.size(), "object"), names),
        html_text(reason));
  }
  if (!losses.unread.empty()) {
    add("soft", "not read", list_of_names(counted(losses.unread.size(), "file"), losses.unread),
        "files of the input that the reader has no use for");
  }
  const bool is_empty = losses.roundings.empty() && losses.dropped.empty() &&
                        losses.dropped_objects.empty() && losses.unread.empty();
  return is_empty ? "<p class=\"good\">Nothing is lost.</p>\n" : text + "</table>\n";
}

// Tensors of the output by the dtypes that they had and have.
std::string dtype_table(const Conversion& run, const Trace& all) {
  struct Count {
    std::uint64_t tensors = 0;
    std::uint64_t elements = 0;
  };
  const Nodes& nodes = run.source.arena->nodes;
  std::map<std::pair<std::string, std::string>, Count> counts;  // what, and what becomes of it
  for (const WrittenTensor& written : all.written) {
    const ckb_node value = written.tensors.front()->value;
    const Dtype to = nodes.dtype(value);
    std::set<std::string> from;
    bool keeps_values = true;
    for (const Tensor* source : written.sources) {
      from.insert(dtype_name(nodes.dtype(source->value)));
      keeps_values = keeps_values && is_lossless(nodes.dtype(source->value), to);
    }
    const std::string before = list_text({from.begin(), from.end()});
    const std::string what = before.empty()             ? "made here"
                             : before == dtype_name(to) ? "as it is"
                             : keeps_values             ? "widened"
                                                        : "rounded";
    Count& count = counts[{before + " → " + dtype_name(to), what}];
    ++count.tensors;
    count.elements += nodes.count(value);
  }
  std::string text =
      "<table>\n<tr><th>dtype</th><th>elements are</th><th class=\"number\">tensors</th><th "
      "class=\"number\">elements</th></tr>\n";
  for (const auto& [key, count] : counts) {
    text += fmt::format(
        "<tr><td>{}</td><td class=\"{}\">{}</td><td class=\"number\">{}</td><td "
        "class=\"number\">{}</td></tr>\n",
        html_text(key.first), key.second == "rounded" ? "drop" : "good", key.second,
        count_text(count.tensors), count_text(count.elements));
  }
  return text + "</table>\n";
}

std::string files_list(const std::string& summary,
                       const std::vector<std::pair<std::string, std::uint64_t>>& files) {
  std::string text =
      "<details><summary>" + html_text(summary) + "</summary><div class=\"wide\"><table>\n";
  for (const auto& [name, size] : files) {
    text += fmt::format("<tr><td>{}</td><td class=\"number\">{}</td></tr>\n", html_name(name),
                        count_text(size));
  }
  return text + "</table></div></details>\n";
}

std::string files(const Conversion& run) {
  std::vector<std::pair<std::string, std::uint64_t>> read;
  for (std::uint32_t id = 1; id <= run.source.arena->sources.count(); ++id) {
    read.emplace_back(run.source.arena->sources.name(id), run.source.arena->sources.size(id));
  }
  std::vector<std::pair<std::string, std::uint64_t>> written;
  for (const OutputFile& file : run.layout.files()) written.emplace_back(file.path, file.size);
  return files_list(counted(read.size(), "file") + " read, in bytes", read) +
         files_list(counted(written.size(), "file") + " written, in bytes", written);
}

}  // namespace

std::string plan_page(const Report& report, const Trace& all) {
  const Conversion& run = report.conversion;
  std::string body = fmt::format("<h1>{}</h1>\n", report.done ? "Conversion" : "Plan");
  body += picture(run);
  body += "<pre>" + html_text(run_line(run.chain.text)) + "</pre>\n";
  body += facts(run);
  body += "<h2>What is lost, and why</h2>\n" + losses_table(report.losses);
  body += "<h2>Dtypes</h2>\n" + dtype_table(run, all);
  body += "<h2>Tensors by layer</h2>\n" + layer_tables(run, all);
  body += "<h2>Files</h2>\n" + files(run);
  body += fmt::format("<p class=\"soft\">ckptbridge {}</p>\n", kVersion);
  return html_page(
      "ckptbridge: " + run.request.input.string() + " to " + run.request.output.string(), body);
}

}  // namespace ckptbridge::cli
