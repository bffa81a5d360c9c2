# muir_module(<name> [DEPS module...] [LIBS target...] [TEST_DEPS module...] [TEST_LIBS target...] [GENERATED file...])
#
# Declares src/<name>, with its folders, as static library muir_<name>, with one test binary <name>_test of all *_test.cc
# and one benchmark binary <name>_bench of all *_bench.cc (their objects only, with the tests). DEPS is the module's whole right to include:
# tools/tidy.py reads the same line and refuses an #include of any other module.
function(muir_module name)
  cmake_parse_arguments(M "" "" "DEPS;LIBS;TEST_DEPS;TEST_LIBS;GENERATED" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc */*.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")

  if(NOT sources)
    list(APPEND sources ${PROJECT_BINARY_DIR}/pch/empty.cc)  # a module of headers only
  endif()
  add_library(muir_${name} STATIC ${sources} ${M_GENERATED})
  target_link_libraries(muir_${name} PUBLIC fmt::fmt Threads::Threads)
  target_compile_features(muir_${name} PUBLIC cxx_std_20)
  if(NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "/apps/")
    _muir_library(${name} "${M_DEPS}")
  endif()
  _muir_link(${name} muir_${name} PUBLIC "${M_DEPS}")
  target_link_libraries(muir_${name} PRIVATE ${M_LIBS})
  _muir_pch(muir_${name} std)
  _muir_unity(muir_${name} ${sources})

  if(MUIR_TESTS AND tests)
    add_executable(${name}_test ${tests})
    _muir_link(${name} ${name}_test PRIVATE "${name};${M_TEST_DEPS}")
    target_link_libraries(${name}_test PRIVATE ${M_TEST_LIBS})
    target_link_libraries(${name}_test PRIVATE muir_testing muir_gtest_main)
    _muir_pch(${name}_test gtest)
    _muir_unity(${name}_test ${tests})
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  endif()
  if(MUIR_BENCHMARKS AND benches)
    add_executable(${name}_bench ${benches})
    _muir_link(${name} ${name}_bench PRIVATE "${name};${M_TEST_DEPS}")
    target_link_libraries(${name}_bench PRIVATE ${M_TEST_LIBS} benchmark::benchmark_main)
  elseif(MUIR_TESTS AND benches)
    # Compiled with the tests and not linked, so that they go on compiling.
    add_library(${name}_bench OBJECT ${benches})
    _muir_link(${name} ${name}_bench PRIVATE "${name};${M_TEST_DEPS}")
    target_link_libraries(${name}_bench PRIVATE ${M_TEST_LIBS} benchmark::benchmark)
    _muir_pch(${name}_bench std)
  endif()
endfunction()

# What other projects link: Muir::<name>, from a subdirectory as from an installed package.
function(_muir_library name deps)
  add_library(Muir::${name} ALIAS muir_${name})
  set_target_properties(muir_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(muir_${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
    $<INSTALL_INTERFACE:include/muir>)
  set_property(GLOBAL APPEND PROPERTY MUIR_LIBRARIES ${name})
  set_property(GLOBAL PROPERTY MUIR_LIBRARY_DEPS_${name} "${deps}")
endfunction()

# With MUIR_UNITY, those of the target's sources that can be are compiled together (tools/unity_groups.py).
function(_muir_unity target)
  if(NOT MUIR_UNITY OR NOT ARGN)
    return()
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  execute_process(COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/unity_groups.py ${ARGN}
    OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "|" lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
  foreach(line ${lines})
    string(REPLACE "|" ";" parts ${line})
    list(GET parts 0 group)
    list(GET parts 1 source)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${target}_${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

function(_muir_link name target visibility modules)
  foreach(module ${modules})
    if(NOT TARGET muir_${module})
      message(FATAL_ERROR "module ${name}: dependency ${module} is not a module of a lower level")
    endif()
    target_link_libraries(${target} ${visibility} muir_${module})
  endforeach()
endfunction()

# One precompiled header per set, built once and shared by every module that compiles with the same flags.
function(_muir_pch target set)
  target_precompile_headers(${target} REUSE_FROM muir_pch_${set})
endfunction()

file(WRITE ${PROJECT_BINARY_DIR}/pch/empty.cc "")
add_library(muir_pch_std STATIC ${PROJECT_BINARY_DIR}/pch/empty.cc)
target_link_libraries(muir_pch_std PUBLIC fmt::fmt Threads::Threads)
target_precompile_headers(muir_pch_std PRIVATE <algorithm> <array> <atomic> <chrono> <cstdint> <cstring>
  <condition_variable> <deque> <functional> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view>
  <thread> <unordered_map> <utility> <variant> <vector> <fmt/core.h>)
if(MUIR_TESTS)
  add_library(muir_gtest_main STATIC ${PROJECT_SOURCE_DIR}/cmake/gtest_main.cc)
  target_link_libraries(muir_gtest_main PUBLIC fmt::fmt Threads::Threads GTest::gtest)
  if(MUIR_SANITIZE MATCHES "thread")
    # In each binary and not in the library: nothing of ours asks for it, so the linker would leave it there.
    target_sources(muir_gtest_main INTERFACE ${PROJECT_SOURCE_DIR}/cmake/tsan_runtime.cc)
  endif()
  add_library(muir_pch_gtest STATIC ${PROJECT_BINARY_DIR}/pch/empty.cc)
  target_link_libraries(muir_pch_gtest PUBLIC fmt::fmt Threads::Threads GTest::gtest)
  target_precompile_headers(muir_pch_gtest PRIVATE <algorithm> <atomic> <chrono> <cstdint> <functional> <map>
    <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <vector> <fmt/core.h> <gtest/gtest.h>)
endif()
