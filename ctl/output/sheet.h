#pragma once

#include <string>
#include <string_view>

#include "ctl/output/style.h"
#include "ctl/output/table.h"

namespace gocomet::ctl {

// A text of `Key:   value` lines whose values stand in one column, with headed blocks between them.
class Sheet {
 public:
  explicit Sheet(const Style& style) : style_(style) {}

  // Leaves an empty value out.
  void Line(std::string_view key, const Cell& value);
  void Heading(std::string_view heading);
  // A line of its own, indented.
  void Indented(std::string_view text);
  void Indented(const Table& table);

  const std::string& text() const { return text_; }

 private:
  const Style style_;
  std::string text_;
};

}  // namespace gocomet::ctl
