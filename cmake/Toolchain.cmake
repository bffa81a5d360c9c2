# Language level, warnings, optimisation per build type, sanitizers, ccache and lld where present.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

set(CMAKE_CXX_FLAGS_DEV "-O1 -g1" CACHE STRING "" FORCE)
set(CMAKE_C_FLAGS_DEV "-O1 -g1" CACHE STRING "" FORCE)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -fno-plt" CACHE STRING "" FORCE)

add_library(muir_flags INTERFACE)
target_compile_options(muir_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror
  -Wno-missing-field-initializers)
target_include_directories(muir_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # GCC 12 reports maybe-uninitialized and stringop overflows inside std::string at -O2 that are not there.
  target_compile_options(muir_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized
    -Wno-stringop-overflow -Wno-array-bounds -Wno-stringop-overread)
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Clang reports the deprecated function inside libstdc++'s own std::stable_sort.
  target_compile_options(muir_flags INTERFACE -Wno-deprecated-declarations)
endif()

if(MUIR_SANITIZE)
  add_compile_options(-fsanitize=${MUIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MUIR_SANITIZE})
  add_compile_definitions(MUIR_SANITIZED=1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's thread sanitizer does not model fences; Boost.Asio uses them.
    target_compile_options(muir_flags INTERFACE -Wno-tsan -Wno-maybe-uninitialized)
  endif()
endif()

find_program(MUIR_CCACHE ccache)
if(MUIR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MUIR_CCACHE})
endif()
find_program(MUIR_LLD ld.lld)
if(MUIR_LLD)
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--gc-sections)
