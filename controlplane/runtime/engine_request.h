#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

#include "controlplane/runtime/engine_client.h"

namespace gocomet::controlplane {

struct CurlEasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyCleanup>;

inline constexpr std::chrono::milliseconds kConnectPatience{2000};

// A curl handle for one request to the engine: address, connect deadline, no proxies, no signals.
CurlEasy NewEngineRequest(const EngineEndpoint& endpoint, const std::string& path);

}  // namespace gocomet::controlplane
