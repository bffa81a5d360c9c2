# Language level, warnings, optimisation per build type, sanitizers, ccache and lld where present. All of it holds for
# this folder and what is below it: a project that adds Muir as a subdirectory keeps its own flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(CMAKE_CXX_FLAGS_DEV "-O1 -g1" CACHE STRING "" FORCE)
  set(CMAKE_C_FLAGS_DEV "-O1 -g1" CACHE STRING "" FORCE)
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -fno-plt" CACHE STRING "" FORCE)
endif()

include_directories(${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
# Warnings end the build of Muir's developers; whoever only uses it may have another compiler, which sees other things.
if(PROJECT_IS_TOP_LEVEL)
  add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror
    -Wno-missing-field-initializers)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # GCC 12 reports maybe-uninitialized and stringop overflows inside std::string at -O2 that are not there.
    add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
      -Wno-stringop-overread)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Clang reports the deprecated function inside libstdc++'s own std::stable_sort.
    add_compile_options(-Wno-deprecated-declarations)
  endif()
endif()

if(MUIR_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Said of a type with a member from an unnamed namespace unless the file being compiled has both; here it is included.
  add_compile_options(-Wno-subobject-linkage)
endif()

if(MUIR_SANITIZE)
  add_compile_options(-fsanitize=${MUIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MUIR_SANITIZE})
  add_compile_definitions(MUIR_SANITIZED=1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's thread sanitizer does not model fences; Boost.Asio uses them.
    add_compile_options(-Wno-tsan -Wno-maybe-uninitialized)
  endif()
endif()

find_program(MUIR_CCACHE ccache)
if(MUIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MUIR_CCACHE})
endif()
find_program(MUIR_LLD ld.lld)
if(MUIR_LLD)
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--gc-sections)
