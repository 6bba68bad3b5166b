#include "ctl/output/sheet.h"

#include <algorithm>

#include "common/base/text.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

constexpr size_t kValueColumn = 20;
constexpr std::string_view kIndent = "  ";

}  // namespace

void Sheet::Line(std::string_view key, const Cell& value) {
  if (value.text.empty()) return;
  const size_t width = key.size() + 1;
  text_ += Cat(key, ":", std::string(std::max(kValueColumn, width + 1) - width, ' '),
               style_.Paint(OneLine(value.text), value.tone), "\n");
}

void Sheet::Heading(std::string_view heading) { text_ += Cat(heading, ":\n"); }

void Sheet::Indented(std::string_view text) { text_ += Cat(kIndent, OneLine(text), "\n"); }

void Sheet::Indented(const Table& table) {
  const std::string lines = table.Render(style_);
  for (size_t start = 0; start < lines.size();) {
    const size_t end = lines.find('\n', start) + 1;
    text_ += Cat(kIndent, std::string_view(lines).substr(start, end - start));
    start = end;
  }
}

}  // namespace gocomet::ctl
