# Debian's packages; scripts/install-dependencies.sh installs them.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent_core libevent_extra)
pkg_check_modules(LIBEVENT_OPENSSL REQUIRED IMPORTED_TARGET libevent_core libevent_extra libevent_openssl)
pkg_check_modules(LIBSECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(LIBSYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

set(base_headers
  <absl/status/status.h> <absl/status/statusor.h> <algorithm> <atomic> <chrono> <functional> <map>
  <memory> <mutex> <optional> <string> <string_view> <thread> <unordered_map> <utility> <vector>)
gocomet_precompiled_headers(base LINK absl::status absl::statusor HEADERS ${base_headers})
gocomet_precompiled_headers(rpc LINK gRPC::grpc++ protobuf::libprotobuf
  HEADERS ${base_headers} <grpcpp/grpcpp.h> <google/protobuf/generated_message_reflection.h>
    <google/protobuf/map.h> <google/protobuf/repeated_field.h>)
