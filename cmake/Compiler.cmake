# Language, warnings, sanitizers and the compiler cache, for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

option(GOCOMET_PRECOMPILED_HEADERS "Parse the large headers of others once" ON)

# Paths are cached relative to the source tree, so that a second clone finds what the first built.
# The sloppiness is what ccache asks for with precompiled headers.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${CCACHE})
  if(GOCOMET_PRECOMPILED_HEADERS AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-fpch-preprocess)
  endif()
endif()

# -Wrestrict, -Warray-bounds and -Wstringop-* see overlaps and overflows in std::string that are
# not there (GCC bugs 105651 and 105329, fixed in 13); with precompiled headers they no longer
# know that it is the library's code. The address sanitizer looks for the true ones.
# -Wmissing-field-initializers would forbid designated initializers, though every member of our
# structs has a default.
# Linked by each of our own targets, never by generated code.
add_library(gocomet_warnings INTERFACE)
target_compile_options(gocomet_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # Some of the above are GCC's alone.
  target_compile_options(gocomet_warnings INTERFACE -Wno-unknown-warning-option)
endif()

# For generated code too: they change predefined macros, on which precompiled headers must agree.
add_compile_options(-Wpedantic -pthread)

include_directories(${CMAKE_SOURCE_DIR})

# Quick to build, fast enough to run, with the lines that a report names.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")
if(GOCOMET_SANITIZE)
  add_compile_options(-fsanitize=${GOCOMET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GOCOMET_SANITIZE})
endif()
if(GOCOMET_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# gocomet_precompile(TARGET base|rpc|test): its sources find the headers of that set parsed already.
# They must include what they use all the same; clang-tidy sees them without.
function(gocomet_precompile target set)
  if(GOCOMET_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM gocomet_${set}_headers)
  endif()
endfunction()

# gocomet_precompiled_headers(SET [LINK target…] HEADERS header…)
function(gocomet_precompiled_headers set)
  cmake_parse_arguments(ARG "" "" "LINK;HEADERS" ${ARGN})
  if(GOCOMET_PRECOMPILED_HEADERS)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${set}.cc CONTENT "")
    add_library(gocomet_${set}_headers OBJECT ${CMAKE_BINARY_DIR}/precompiled/${set}.cc)
    target_link_libraries(gocomet_${set}_headers PRIVATE ${ARG_LINK})
    target_precompile_headers(gocomet_${set}_headers PRIVATE ${ARG_HEADERS})
  endif()
endfunction()

# gocomet_library(NAME SOURCES… [LINK target…] [PRECOMPILED set]): a static library with our warnings.
function(gocomet_library name)
  cmake_parse_arguments(ARG "" "PRECOMPILED" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE gocomet_warnings)
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED base)
  endif()
  gocomet_precompile(${name} ${ARG_PRECOMPILED})
endfunction()

# gocomet_executable(NAME SOURCES… [LINK target…])
function(gocomet_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} gocomet_warnings)
endfunction()
