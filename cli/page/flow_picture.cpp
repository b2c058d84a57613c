#include "cli/page/flow_picture.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "cli/page/html_page.h"
#include "core/text/printable.h"
#include "core/text/quantities.h"

namespace ckptbridge::cli {
namespace {

// In the picture's own units, about pixels.
constexpr int kBoxWidth = 184;
constexpr int kBoxHeight = 92;
constexpr int kGap = 84;
constexpr int kTop = 26;
constexpr int kSideTop = kTop + kBoxHeight + 56;
constexpr int kSideHeight = 46;
constexpr std::size_t kTitleFits = 24;  // characters of a box
constexpr std::size_t kLineFits = 27;
constexpr std::size_t kArrowFits = 13;
constexpr std::size_t kMostLines = 3;

// The first characters of a text, with "…" where some are cut.
std::string shortened(std::string_view text, std::size_t most) {
  std::string whole = printable(text);
  std::size_t end = 0;
  std::size_t cut = 0;  // where the last that fits beside "…" ends
  for (std::size_t count = 0; end < whole.size(); ++count) {
    if (count == most) return whole.substr(0, cut) + "…";
    if (count + 1 == most) cut = end;
    end += utf8_size(std::string_view(whole).substr(end));
  }
  return whole;
}

std::string text_at(int x, int y, const char* anchor, int size, const char* style,
                    std::string_view text) {
  return fmt::format(
      "<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" font-size=\"{}\" class=\"{}\">{}</text>\n", x, y,
      anchor, size, style, html_text(text));
}

std::string box_at(int x, int y, int height, const FlowBox& box) {
  std::string whole = box.title;
  for (const std::string& line : box.lines) whole += ", " + line;
  std::string text = fmt::format(
      "<g><title>{}</title>\n<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"7\" "
      "class=\"box\"/>\n",
      html_text(whole), x, y, kBoxWidth, height);
  const int middle = x + kBoxWidth / 2;
  text += text_at(middle, y + 21, "middle", 13, "title", shortened(box.title, kTitleFits));
  for (std::size_t i = 0; i < std::min(box.lines.size(), kMostLines); ++i) {
    text += text_at(middle, y + 40 + 18 * static_cast<int>(i), "middle", 12, "soft",
                    shortened(box.lines[i], kLineFits));
  }
  return text + "</g>\n";
}

// 2 to 16 units for none to all of the bytes.
double thickness(std::uint64_t part, std::uint64_t whole) {
  return 2 + (whole == 0 ? 0 : 14 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string arrow_right(int from, int to, int y, double width) {
  constexpr int kHead = 14;
  const double half = width / 2 + 5;
  return fmt::format(
      "<path class=\"flow\" d=\"M{} {}H{}\" stroke-width=\"{:.1f}\"/>\n"
      "<path class=\"head flow\" d=\"M{} {:.1f}L{} {}L{} {:.1f}Z\"/>\n",
      from, y, to - kHead, width, to - kHead, y - half, to, y, to - kHead, y + half);
}

std::string arrow_down(int x, const char* style, double width) {
  constexpr int kHead = 12;
  constexpr int kFrom = kTop + kBoxHeight;
  const double half = width / 2 + 4;
  return fmt::format(
      "<path class=\"{}\" d=\"M{} {}V{}\" stroke-width=\"{:.1f}\"/>\n"
      "<path class=\"head {}\" d=\"M{:.1f} {}L{} {}L{:.1f} {}Z\"/>\n",
      style, x, kFrom, kSideTop - kHead, width, style, x - half, kSideTop - kHead, x, kSideTop,
      x + half, kSideTop - kHead);
}

}  // namespace

std::string flow_picture(const Flow& flow) {
  const int count = static_cast<int>(flow.boxes.size());
  const int width = count * kBoxWidth + (count - 1) * kGap + 4;
  const std::uint64_t dropped = flow.declared - flow.used - flow.checked;
  const bool has_side = dropped > 0 || flow.checked > 0;
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"the flow from input to output\" font-family=\"system-ui, sans-serif\">\n",
      width, has_side ? kSideTop + kSideHeight + 4 : kTop + kBoxHeight + 4);
  const auto left = [](int box) { return 2 + box * (kBoxWidth + kGap); };
  for (int i = 0; i < count; ++i) {
    text += box_at(left(i), kTop, kBoxHeight, flow.boxes[static_cast<std::size_t>(i)]);
    if (i == 0) continue;
    const std::string& said = flow.between[static_cast<std::size_t>(i - 1)];
    text += arrow_right(left(i) - kGap + 4, left(i) - 4, kTop + kBoxHeight / 2,
                        thickness(flow.used, flow.declared));
    text += text_at(left(i) - kGap / 2, kTop + kBoxHeight / 2 - 18, "middle", 11, "soft",
                    shortened(said, kArrowFits));
  }
  int side = 1;  // below the box that reads, and the one behind it
  const auto add_side = [&](const char* style, const char* name, std::uint64_t bytes) {
    if (bytes == 0) return;
    const int x = left(std::min(side++, count - 1));
    text += arrow_down(x + kBoxWidth / 2, style, thickness(bytes, flow.declared));
    text += box_at(x, kSideTop, kSideHeight, {name, {size_text(bytes)}});
  };
  add_side("drop", "left out", dropped);
  add_side("check", "compared only", flow.checked);
  return text + "</svg>\n";
}

}  // namespace ckptbridge::cli
