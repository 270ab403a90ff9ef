# Warnings, sanitizers and the compiler cache: what every target of ours is built with.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

# Flags that all code must agree on.
add_library(skiff_compiler INTERFACE)
target_include_directories(skiff_compiler INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(skiff_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fno-omit-frame-pointer)
# GCC 12 warns of overlaps in std::string's own code (GCC bug 105651).
target_compile_options(skiff_compiler INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(SKIFF_SANITIZE)
  # The check of an object's type needs descriptors, and takes good objects for bad where a test leaves none.
  target_compile_options(skiff_compiler INTERFACE -fsanitize=${SKIFF_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  target_link_options(skiff_compiler INTERFACE -fsanitize=${SKIFF_SANITIZE})
endif()
target_link_options(skiff_compiler INTERFACE $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:NAME>,skiff>>:-fno-lto>)
if(SKIFF_BUILD_FUZZERS)
  target_compile_options(skiff_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()

# A room of the house: skiff_room(dubbo SOURCES a.cpp b.cpp LINK skiff_x)
function(skiff_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  add_library(skiff_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(skiff_${name} PUBLIC skiff_compiler ${ROOM_LINK})
endfunction()

# Lets the program be optimised over the borders of files; tests and benchmarks link the ordinary code in the same
# libraries.
function(skiff_optimize_across_files)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR SKIFF_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
    return()
  endif()
  foreach(room dubbo governance forwarder)
    target_compile_options(skiff_${room} PRIVATE -flto=auto -ffat-lto-objects)
  endforeach()
  target_link_options(skiff PRIVATE -flto=auto)
endfunction()
