# Toolchain of preset `fuzz`: the newest clang++ of this machine. libFuzzer comes with it.
find_program(MUIR_CLANGXX NAMES clang++-19 clang++-18 clang++-17 clang++-16 clang++
  DOC "clang++ 16 or newer; on Debian 12: apt-get install clang-19 libclang-rt-19-dev" NO_CACHE)
if(NOT MUIR_CLANGXX)
  message(FATAL_ERROR "No clang++ here. On Debian 12: apt-get install clang-19 libclang-rt-19-dev")
endif()
string(REPLACE "clang++" "clang" MUIR_CLANG ${MUIR_CLANGXX})
set(CMAKE_CXX_COMPILER ${MUIR_CLANGXX})
set(CMAKE_C_COMPILER ${MUIR_CLANG})
