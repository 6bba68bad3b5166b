#pragma once

#include <string>
#include <string_view>

namespace gocomet::dataplane {

// Appends `text` as a JSON string with its quotes (RFC 8259, 7). Any bytes may come: what is no
// UTF-8 (RFC 3629) becomes U+FFFD, one for each longest beginning of a character, or byte, that is
// in error (Unicode 15, 3.9). Pure.
void AppendJsonText(std::string_view text, std::string& out);

}  // namespace gocomet::dataplane
