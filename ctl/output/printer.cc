#include "ctl/output/printer.h"

#include "ctl/output/json.h"

namespace gocomet::ctl {
namespace {

class TablePrinter final : public Printer {
 public:
  TablePrinter(bool wide, const Style& style, bool with_headers)
      : wide_(wide), style_(style), with_headers_(with_headers) {}

  std::string Print(const Listing& listing) override {
    return listing.table(wide_).Render(style_, with_headers_);
  }
  std::string PrintNext(const Listing& listing) override {
    const Table table = listing.table(wide_);
    if (!stream_) stream_.emplace(table.headers(), with_headers_);
    return stream_->Next(table, style_);
  }

 private:
  const bool wide_;
  const Style style_;
  const bool with_headers_;
  std::optional<RowStream> stream_;
};

class JsonPrinter final : public Printer {
 public:
  std::string Print(const Listing& listing) override { return ToPrettyJson(listing.message); }
  std::string PrintNext(const Listing& listing) override { return ToJsonLine(listing.message); }
};

class YamlPrinter final : public Printer {
 public:
  std::string Print(const Listing& listing) override { return ToYaml(listing.message); }
  std::string PrintNext(const Listing& listing) override {
    return "---\n" + ToYaml(listing.message);
  }
};

class NamePrinter final : public Printer {
 public:
  std::string Print(const Listing& listing) override {
    std::string lines;
    for (const std::string& name : listing.names) lines += name + "\n";
    return lines;
  }
  std::string PrintNext(const Listing& listing) override { return Print(listing); }
};

}  // namespace

std::optional<OutputForm> ParseOutputForm(std::string_view text) {
  if (text == "table") return OutputForm::kTable;
  if (text == "wide") return OutputForm::kWide;
  if (text == "json") return OutputForm::kJson;
  if (text == "yaml") return OutputForm::kYaml;
  if (text == "name") return OutputForm::kName;
  return std::nullopt;
}

std::unique_ptr<Printer> MakePrinter(OutputForm form, const Style& style, bool with_headers) {
  switch (form) {
    case OutputForm::kJson:
      return std::make_unique<JsonPrinter>();
    case OutputForm::kYaml:
      return std::make_unique<YamlPrinter>();
    case OutputForm::kName:
      return std::make_unique<NamePrinter>();
    case OutputForm::kTable:
    case OutputForm::kWide:
      break;
  }
  return std::make_unique<TablePrinter>(form == OutputForm::kWide, style, with_headers);
}

}  // namespace gocomet::ctl
