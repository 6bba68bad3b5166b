#include "ctl/output/table.h"

#include <algorithm>

#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

constexpr size_t kGap = 3;

std::string Shown(const Cell& cell) { return cell.text.empty() ? "-" : OneLine(cell.text); }

void Widen(std::vector<size_t>& widths, const Row& row) {
  widths.resize(std::max(widths.size(), row.size()));
  for (size_t i = 0; i < row.size(); ++i) {
    widths[i] = std::max(widths[i], DisplayWidth(Shown(row[i])));
  }
}

std::string Line(const Row& row, const std::vector<size_t>& widths, const Style& style) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string text = Shown(row[i]);
    line += style.Paint(text, row[i].tone);
    if (i + 1 < row.size()) line.append(widths[i] - DisplayWidth(text) + kGap, ' ');
  }
  return line + "\n";
}

Row HeaderRow(const std::vector<std::string>& headers) { return {headers.begin(), headers.end()}; }

}  // namespace

std::string Table::Render(const Style& style, bool with_headers) const {
  return RowStream(headers_, with_headers).Next(*this, style);
}

std::string RowStream::Next(const Table& table, const Style& style) {
  if (header_due_) Widen(widths_, HeaderRow(headers_));
  for (const Row& row : table.rows()) Widen(widths_, row);
  std::string lines;
  if (header_due_) lines += Line(HeaderRow(headers_), widths_, style);
  header_due_ = false;
  for (const Row& row : table.rows()) lines += Line(row, widths_, style);
  return lines;
}

}  // namespace gocomet::ctl
