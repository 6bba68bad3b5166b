#include "controlplane/config/yaml_tree.h"

#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "common/base/text.h"
#include "controlplane/config/utf8.h"

namespace gocomet::controlplane {
namespace {

Place PlaceOf(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

// Builds the tree from yaml-cpp's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::vector<YamlFault>& faults)
      : text_(text), faults_(faults) {}

  // The tree as far as it was read.
  YamlNode Take() {
    while (!open_.empty()) Close();
    return std::move(root_);
  }

 private:
  using Kind = YamlNode::Kind;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    const std::string_view written = WordAt(mark);
    const bool is_word =
        written == "~" || written == "null" || written == "Null" || written == "NULL";
    // Where nothing is written, yaml-cpp gives the place of whatever comes next.
    if (is_word && (PendingKey() == nullptr || PendingKey()->place.line == PlaceOf(mark).line)) {
      Add({Kind::kNull, PlaceOf(mark), std::string(written), {}});
    } else {
      Add({Kind::kEmpty, PendingKey() != nullptr ? PendingKey()->place : PlaceOf(mark), "", {}});
    }
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    faults_.push_back({PlaceOf(mark), "aliases (`*name`) are not used here; write the value"});
    Add({Kind::kRefused, PlaceOf(mark), "", {}});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    RefuseOpenQuote(mark);
    Add({tag == "!" ? Kind::kQuoted : Kind::kPlain, PlaceOf(mark), value, {}});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Kind::kMapping, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

  void Open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    open_.push_back({kind, PlaceOf(mark), "", {}});
  }

  void Close() {
    YamlNode closed = std::move(open_.back());
    open_.pop_back();
    // A key whose value a syntax error cut off.
    if (closed.kind == Kind::kMapping && closed.children.size() % 2 != 0) {
      closed.children.pop_back();
    }
    Add(std::move(closed));
  }

  void Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().children.push_back(std::move(node));
    }
  }

  // The key whose value comes next.
  const YamlNode* PendingKey() const {
    if (open_.empty() || open_.back().kind != Kind::kMapping) return nullptr;
    const std::vector<YamlNode>& children = open_.back().children;
    return children.size() % 2 != 0 ? &children.back() : nullptr;
  }

  std::string_view TextFrom(const YAML::Mark& mark) const {
    const size_t from = mark.pos < 0 ? text_.size() : static_cast<size_t>(mark.pos);
    return from < text_.size() ? text_.substr(from) : std::string_view();
  }
  std::string_view WordAt(const YAML::Mark& mark) const {
    const std::string_view rest = TextFrom(mark);
    return rest.substr(0, rest.find_first_of(" \t\r\n,:{}[]#"));
  }

  void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    faults_.push_back({PlaceOf(mark), "anchors (`&name`) are not used here; remove it"});
  }
  void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    faults_.push_back({PlaceOf(mark), "tags (`!name`) are not used here; remove it"});
  }

  // yaml-cpp takes the end of the text for the closing quote.
  void RefuseOpenQuote(const YAML::Mark& mark) {
    std::string_view rest = TextFrom(mark);
    const char quote = rest.empty() ? '\0' : rest.front();
    if (quote != '\'' && quote != '"') return;
    rest.remove_prefix(1);
    while (!rest.empty()) {
      const bool escaped = quote == '"' ? rest.front() == '\\' : rest.starts_with("''");
      if (!escaped && rest.front() == quote) return;
      rest.remove_prefix(escaped && rest.size() > 1 ? 2 : 1);
    }
    faults_.push_back({PlaceOf(mark), "the quote is never closed"});
  }

  const std::string_view text_;
  std::vector<YamlFault>& faults_;
  YamlNode root_;
  std::vector<YamlNode> open_;  // From the root to where we are.
};

// Notes only where a further document begins.
class DocumentProbe : public YAML::EventHandler {
 public:
  std::optional<Place> start() const { return start_; }

 private:
  void OnDocumentStart(const YAML::Mark& mark) override { start_ = PlaceOf(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  std::optional<Place> start_;
};

YamlFault SyntaxFault(const YAML::Exception& error) {
  return {PlaceOf(error.mark),
          Cat("is not valid YAML: ", error.msg,
              "; look for a missing `:`, a wrong indentation or an open bracket here or just "
              "before")};
}

void RefuseFurtherDocuments(YAML::Parser& parser, std::vector<YamlFault>& faults) {
  DocumentProbe probe;
  try {
    parser.HandleNextDocument(probe);
  } catch (const YAML::Exception&) {
    // The place where it begins says enough.
  }
  if (probe.start()) {
    faults.push_back({*probe.start(), "a second YAML document begins; expected only one"});
  }
}

}  // namespace

YamlDocument ReadYaml(std::string_view text) {
  YamlDocument document;
  if (const auto bad = FindUnreadableByte(text)) {
    document.faults.push_back({bad->place, bad->message});
    document.complete = false;
    return document;
  }
  TreeBuilder builder(text, document.faults);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder)) RefuseFurtherDocuments(parser, document.faults);
  } catch (const YAML::Exception& error) {
    document.faults.push_back(SyntaxFault(error));
    document.complete = false;
  } catch (const std::exception& error) {
    document.faults.push_back({{}, Cat("cannot be read as YAML: ", error.what())});
    document.complete = false;
  }
  document.root = builder.Take();
  return document;
}

}  // namespace gocomet::controlplane
