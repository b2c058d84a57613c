#include "cli/page/html_page.h"

#include <fmt/format.h>

#include "core/text/printable.h"

namespace ckptbridge::cli {
namespace {

// Colours are named once for each scheme; the picture uses them, too.
constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --back: #ffffff; --text: #1c2430; --soft: #5a6675; --line: #cfd6df;
  --box: #f3f6fa; --flow: #1f6feb; --check: #8250df; --drop: #b35900; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --back: #0f141a; --text: #e3e8ef; --soft: #9aa7b6; --line: #344150; --box: #19212b;
    --flow: #58a6ff; --check: #bc8cff; --drop: #f0a35e; --good: #56d364; } }
body { margin: 0 auto; max-width: 76rem; padding: 1rem 1.2rem 3rem; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .6rem 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
code { font: 13px/1.45 ui-monospace, monospace; unicode-bidi: isolate; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--box); padding: .6rem .8rem;
  border: 1px solid var(--line); border-radius: 6px; font: 13px/1.45 ui-monospace, monospace; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 600; }
td:last-child { overflow-wrap: anywhere; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
details { border-bottom: 1px solid var(--line); padding: .2rem 0; }
summary { cursor: pointer; padding: .2rem 0; } details > div { margin: .2rem 0 .8rem 1.1rem; }
td details { border: none; padding: 0; } td summary { padding: 0; }
th.number { text-align: right; padding-right: .6rem; }
.soft { color: var(--soft); } .drop { color: var(--drop); } .check { color: var(--check); }
.good { color: var(--good); }
svg { display: block; min-width: 46rem; width: 100%; height: auto; } svg text { fill: var(--text); }
svg .soft { fill: var(--soft); } svg .box { fill: var(--box); stroke: var(--line); }
svg .flow { stroke: var(--flow); fill: none; } svg .check { stroke: var(--check); fill: none; }
svg .drop { stroke: var(--drop); fill: none; } svg .head { stroke: none; }
svg .head.flow { fill: var(--flow); } svg .head.check { fill: var(--check); }
svg .head.drop { fill: var(--drop); }
@media print { body { max-width: none; } }
)css";

}  // namespace

std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string html_name(std::string_view name) { return "<code>" + html_text(name) + "</code>"; }

std::string html_page(std::string_view title, const std::string& body) {
  // The policy holds for what a page could be made to load, should an escape ever be missing.
  return fmt::format(
      "{}1 -->\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      kPageMark, html_text(title), kStyle, body);
}

}  // namespace ckptbridge::cli
