# `cmake --install` gives a package that find_package(procession CONFIG) finds.

include(CMakePackageConfigHelpers)
set(procession_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/procession)

install(
  TARGETS procession
  EXPORT procession-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/include/procession
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING
  PATTERN "*.hpp")
install(
  EXPORT procession-targets
  NAMESPACE procession::
  DESTINATION ${procession_package_dir})

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/procession-config.cmake.in
  ${PROJECT_BINARY_DIR}/procession-config.cmake INSTALL_DESTINATION ${procession_package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/procession-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/procession-config.cmake
              ${PROJECT_BINARY_DIR}/procession-config-version.cmake
        DESTINATION ${procession_package_dir})
