#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/model/route.h"
#include "controlplane/model/service.h"

// What single values of config.yaml look like. Pure.
namespace gocomet::controlplane {

// Without control characters, of at most 1024 bytes.
bool IsPath(const std::string& text);
bool IsFilePath(const std::string& text);      // Not with a slash at its end.
bool IsAbsolutePath(const std::string& text);  // Without `.` and `..`.

bool IsIp(const std::string& text);
bool IsIpAndPort(const std::string& text);
bool IsEndpoint(const std::string& text);  // `IP:PORT` or `unix:/PATH`.

// A DNS label (RFC 1123) in lower case, of at most 40 characters.
bool IsLabel(const std::string& text);
bool IsEnvironmentName(const std::string& text);
// `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`, as the distribution specification has it.
bool IsImage(const std::string& text);
// `NAME`, `ID`, either with `:GROUP`.
bool IsUser(const std::string& text);
// Docker's names, without `CAP_`: capabilities(7).
bool IsCapability(const std::string& text);
// Those that ask a program to end: signal(7).
bool IsStopSignal(const std::string& text);

// `/`, or segments without a slash at the end.
bool IsPathPrefix(const std::string& text);
// A path with or without a query: what a request line may carry.
bool IsRequestPath(const std::string& text);
// A name in letters, digits, dots and hyphens, or `*.` and one; without a port.
bool IsRouteHost(const std::string& text);
bool IsHeaderName(const std::string& text);
bool IsHeaderValue(const std::string& text);
// `client-address`, `header:NAME` or `cookie:NAME`.
bool IsHashKey(const std::string& text);

// `512MiB`, `1GB`, `100B`; 0: none.
std::optional<uint64_t> ParseMemory(std::string_view text);
std::string FormatMemory(uint64_t bytes);

// `0.5`, `2`: at most three decimals.
std::optional<uint32_t> ParseMillicpus(std::string_view text);
std::string FormatMillicpus(uint32_t millicpus);

// `200-399, 404`
std::optional<std::vector<ExpectedStatus>> ParseStatuses(std::string_view text);
std::string FormatStatuses(const std::vector<ExpectedStatus>& statuses);

// `SOURCE:TARGET`, with `:ro` or `:rw`. The text is empty where a colon in a path forbids the form.
std::optional<Volume> ParseVolume(std::string_view text);
std::string FormatVolume(const Volume& volume);

}  // namespace gocomet::controlplane
