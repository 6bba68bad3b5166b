// Reading request heads: our parser, and libhttp-parser with callbacks that note the same views.
//
//   parser_benchmark --benchmark_repetitions=9 --benchmark_report_aggregates_only
#include <http_parser.h>

#include <cstdlib>
#include <string>

#include <benchmark/benchmark.h>

#include "bench/request_heads.h"
#include "common/http/parse_head.h"
#include "common/http/request_rules.h"

namespace gocomet::bench {
namespace {

void CountBytes(benchmark::State& state, std::string_view bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(bytes.size()));
}

void Ours(benchmark::State& state, std::string_view bytes) {
  for (auto _ : state) {
    http::RequestHead head;
    benchmark::DoNotOptimize(bytes);
    const http::HeadResult result = http::ParseRequestHead(bytes, 0, http::HeadLimits{}, head);
    if (result.consumed != bytes.size()) std::abort();
    benchmark::DoNotOptimize(head);
  }
  CountBytes(state, bytes);
}

// With what the balancer asks of each head: where the body ends, the Host, the connection.
void OursUnderstood(benchmark::State& state, std::string_view bytes) {
  for (auto _ : state) {
    http::RequestHead head;
    benchmark::DoNotOptimize(bytes);
    http::ParseRequestHead(bytes, 0, http::HeadLimits{}, head);
    const http::RequestMeaning meaning = http::UnderstandRequest(head);
    if (!meaning.ok) std::abort();
    benchmark::DoNotOptimize(head);
  }
  CountBytes(state, bytes);
}

struct Views {
  std::string_view target;
  std::string_view names[http::kFieldsMax];
  std::string_view values[http::kFieldsMax];
  size_t count = 0;
};

Views& Of(http_parser* parser) { return *static_cast<Views*>(parser->data); }

void HttpParser(benchmark::State& state, std::string_view bytes) {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = [](http_parser* parser, const char* at, size_t size) {
    Of(parser).target = {at, size};
    return 0;
  };
  settings.on_header_field = [](http_parser* parser, const char* at, size_t size) {
    Of(parser).names[Of(parser).count] = {at, size};
    return 0;
  };
  settings.on_header_value = [](http_parser* parser, const char* at, size_t size) {
    Of(parser).values[Of(parser).count++] = {at, size};
    return 0;
  };
  // A head is all there is; 1 says that no body follows.
  settings.on_headers_complete = [](http_parser*) { return 1; };
  for (auto _ : state) {
    Views views;
    benchmark::DoNotOptimize(bytes);
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &views;
    const size_t parsed = http_parser_execute(&parser, &settings, bytes.data(), bytes.size());
    if (parsed != bytes.size()) std::abort();
    benchmark::DoNotOptimize(views);
  }
  CountBytes(state, bytes);
}

void RegisterAll() {
  for (const NamedHead& head : kRequestHeads) {
    const std::string name = head.name;
    benchmark::RegisterBenchmark((name + "/ours").c_str(), Ours, head.bytes);
    benchmark::RegisterBenchmark((name + "/ours_understood").c_str(), OursUnderstood, head.bytes);
    benchmark::RegisterBenchmark((name + "/libhttp_parser").c_str(), HttpParser, head.bytes);
  }
}

}  // namespace
}  // namespace gocomet::bench

int main(int argc, char** argv) {
  gocomet::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
