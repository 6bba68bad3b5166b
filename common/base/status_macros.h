#pragma once

#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

// Early returns for functions that answer with absl::Status or absl::StatusOr.

#define GOCOMET_STATUS_CONCAT_INNER(a, b) a##b
#define GOCOMET_STATUS_CONCAT(a, b) GOCOMET_STATUS_CONCAT_INNER(a, b)

#define GOCOMET_RETURN_IF_ERROR(expression)                   \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

// GOCOMET_ASSIGN_OR_RETURN(const auto text, ReadFile(path));
#define GOCOMET_ASSIGN_OR_RETURN(declaration, expression) \
  GOCOMET_ASSIGN_OR_RETURN_INNER(GOCOMET_STATUS_CONCAT(result_, __LINE__), declaration, expression)

#define GOCOMET_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                           \
  if (!result.ok()) return std::move(result).status();                  \
  declaration = *std::move(result)
