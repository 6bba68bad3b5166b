#pragma once

#include <string>
#include <vector>

#include "ctl/output/style.h"

namespace gocomet::ctl {

struct Cell {
  Cell(std::string text_in, Tone tone_in = Tone::kPlain)  // NOLINT: most cells are plain texts.
      : text(std::move(text_in)), tone(tone_in) {}
  std::string text;
  Tone tone;
};

using Row = std::vector<Cell>;

// Columns under upper-case headers, left-aligned by display width, three spaces apart, no trailing
// spaces. An empty cell shows as `-`. A value.
class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}

  // As many cells as there are headers.
  void Add(Row row) { rows_.push_back(std::move(row)); }

  const std::vector<std::string>& headers() const { return headers_; }
  const std::vector<Row>& rows() const { return rows_; }

  std::string Render(const Style& style, bool with_headers = true) const;

 private:
  std::vector<std::string> headers_;
  std::vector<Row> rows_;
};

// The same look for rows that come one by one: a column widens when a wider cell comes, and never
// narrows again.
class RowStream {
 public:
  RowStream(std::vector<std::string> headers, bool with_headers)
      : headers_(std::move(headers)), header_due_(with_headers) {}

  // The lines to print now: the headers before the first row.
  std::string Next(const Table& table, const Style& style);

 private:
  std::vector<std::string> headers_;
  bool header_due_;
  std::vector<size_t> widths_;
};

}  // namespace gocomet::ctl
