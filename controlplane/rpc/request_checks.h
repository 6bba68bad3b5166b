#pragma once

#include <string_view>

#include <absl/status/status.h>

// What texts in requests must look like before anyone looks them up. Each answers INVALID_ARGUMENT
// with the field at fault. Pure.
namespace gocomet::controlplane {

inline constexpr size_t kServiceNameMax = 40;
inline constexpr size_t kNameMax = 64;
inline constexpr size_t kAuthorMax = 128;
inline constexpr size_t kReasonMax = 1024;
inline constexpr size_t kFileNameMax = 4096;
inline constexpr size_t kSubjectPrefixMax = 128;

// A DNS label (RFC 1123, section 2.1) of lower-case letters, at most kServiceNameMax characters;
// `of` says for people whose name it is.
absl::Status CheckLabel(std::string_view field, std::string_view of, std::string_view name);
absl::Status CheckServiceName(std::string_view field, std::string_view name);

// A worker's id, a prefix of one, or its name; or a balancer's name: lower-case letters, digits and
// '-', 1 to kNameMax characters.
absl::Status CheckName(std::string_view field, std::string_view name);

// 12 hex digits.
absl::Status CheckWorkerId(std::string_view field, std::string_view id);

// A text for people on one line: at most `most` bytes, without control characters.
absl::Status CheckLine(std::string_view field, std::string_view text, size_t most);

}  // namespace gocomet::controlplane
