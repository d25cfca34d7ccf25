# `cmake --install` gives a package that find_package(procession CONFIG) and pkg-config find. Its
# components: `runtime` is the shared library, `development` all that a program is built with, and
# `doc` the texts. The static and the shared kind can be installed into one prefix, one after the
# other.

include(CMakePackageConfigHelpers)
set(procession_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/procession)
if(BUILD_SHARED_LIBS)
  set(procession_kind shared)
  set(procession_pc_requires Requires.private)
else()
  set(procession_kind static)
  set(procession_pc_requires Requires)
endif()

install(
  TARGETS procession
  EXPORT procession-${procession_kind}-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          COMPONENT runtime
          NAMELINK_COMPONENT development)
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/include/procession
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development
  FILES_MATCHING
  PATTERN "*.hpp")
install(
  EXPORT procession-${procession_kind}-targets
  NAMESPACE procession::
  DESTINATION ${procession_package_dir}
  COMPONENT development)

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/procession-config.cmake.in
  ${PROJECT_BINARY_DIR}/procession-config.cmake INSTALL_DESTINATION ${procession_package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/procession-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/procession-config.cmake
        ${PROJECT_BINARY_DIR}/procession-config-version.cmake
  DESTINATION ${procession_package_dir}
  COMPONENT development)

# The file finds the rest from where it lies itself, so that the prefix can be chosen by
# `cmake --install --prefix`.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}
           OUTPUT_VARIABLE procession_pc_libdir)
set(procession_pc_folder /${procession_pc_libdir}/pkgconfig)
set(procession_pc_root /)
cmake_path(RELATIVE_PATH procession_pc_root BASE_DIRECTORY ${procession_pc_folder}
           OUTPUT_VARIABLE procession_pc_prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/procession.pc.in ${PROJECT_BINARY_DIR}/procession.pc
               @ONLY)
install(
  FILES ${PROJECT_BINARY_DIR}/procession.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)

install(
  FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/docs/design.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT doc)
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/examples
  DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT doc
  FILES_MATCHING
  PATTERN "*.cpp"
  PATTERN "*.hpp")
