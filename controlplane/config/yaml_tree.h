#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/place.h"

// YAML text as a plain tree with places. The only user of yaml-cpp.
namespace gocomet::controlplane {

struct YamlNode {
  enum class Kind : uint8_t {
    kEmpty,   // Nothing written.
    kNull,    // `~` or `null`.
    kPlain,   // Text without quotes.
    kQuoted,  // Text in quotes, or a block of text.
    kSequence,
    kMapping,
    kRefused,  // A fault says why.
  };
  Kind kind = Kind::kEmpty;
  Place place;
  std::string text;                // Of plain, quoted and null.
  std::vector<YamlNode> children;  // Of a mapping: key, value, key, value …
};

struct YamlFault {
  Place place;
  std::string message;
};

struct YamlDocument {
  YamlNode root;
  std::vector<YamlFault> faults;
  // False after a syntax error: what came before it is in the tree.
  bool complete = true;
};

// Reads one document. Anchors, aliases, tags, further documents, control characters and bytes that
// are not UTF-8 are faults, so the tree is never larger than the text. Never throws. Time and
// memory are linear in the text.
YamlDocument ReadYaml(std::string_view text);

}  // namespace gocomet::controlplane
