# Language, warnings, sanitizers and the compiler cache, for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# -Wrestrict sees overlaps in std::string that are not there (GCC bug 105651, fixed in 13).
# -Wmissing-field-initializers would forbid designated initializers, though every member of our
# structs has a default.
# Linked by each of our own targets, never by generated code.
add_library(gocomet_warnings INTERFACE)
target_compile_options(gocomet_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -Wno-restrict -Wno-missing-field-initializers)

include_directories(${CMAKE_SOURCE_DIR})

if(GOCOMET_SANITIZE)
  add_compile_options(-fsanitize=${GOCOMET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GOCOMET_SANITIZE})
endif()

# gocomet_library(NAME SOURCES… [LINK target…]): a static library with our warnings.
function(gocomet_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE gocomet_warnings)
endfunction()

# gocomet_executable(NAME SOURCES… [LINK target…])
function(gocomet_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} gocomet_warnings)
endfunction()
