# `cmake --install`: the libraries with their headers, a CMake package (find_package(Muir COMPONENTS streams)) and a
# pkg-config module for each (muir-streams), and the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(MUIR_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Muir)
get_property(MUIR_LIBRARIES GLOBAL PROPERTY MUIR_LIBRARIES)

# From a pkg-config file's folder to the prefix: further up where libraries lie below lib/<architecture>.
file(RELATIVE_PATH PC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" PC_UP ${PC_UP})

# What pkg-config modules ask of others beside Muir's own.
set(base_requires "fmt spdlog")
set(base_libs "-pthread")
set(net_requires "openssl zlib")
set(schema_requires "libcrypto zlib")
set(wire_requires "zlib liblz4 libzstd")
set(wire_libs "-lsnappy")
set(store_libs "-lrocksdb")
set(client_requires "rdkafka")

foreach(name ${MUIR_LIBRARIES})
  install(TARGETS muir_${name} EXPORT MuirTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/${name} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/muir COMPONENT library
    FILES_MATCHING PATTERN "*.h" PATTERN "*_fixture.h" EXCLUDE PATTERN "*_testing.h" EXCLUDE PATTERN "*_fake.h" EXCLUDE
    PATTERN "testdata" EXCLUDE)

  get_property(deps GLOBAL PROPERTY MUIR_LIBRARY_DEPS_${name})
  list(TRANSFORM deps PREPEND "muir-")
  list(JOIN deps " " PC_REQUIRES)
  string(APPEND PC_REQUIRES " ${${name}_requires}")
  set(PC_LIBS "${${name}_libs}")
  set(PC_NAME ${name})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/muir.pc.in ${PROJECT_BINARY_DIR}/package/muir-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/muir-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT library)
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/generated/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/muir COMPONENT library
  FILES_MATCHING PATTERN "*.h" PATTERN "random_*" EXCLUDE)

install(EXPORT MuirTargets NAMESPACE Muir:: DESTINATION ${MUIR_PACKAGE_DIR} COMPONENT library)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/MuirConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/MuirConfig.cmake INSTALL_DESTINATION ${MUIR_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/MuirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/MuirConfig.cmake ${PROJECT_BINARY_DIR}/package/MuirConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/LibraryDependencies.cmake DESTINATION ${MUIR_PACKAGE_DIR} COMPONENT library)

if(TARGET muir)
  install(TARGETS muir RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
