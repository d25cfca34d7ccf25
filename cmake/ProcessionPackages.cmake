# Debian packages, made by scripts/package: libprocession0, libprocession-dev, libprocession-doc.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME procession)
set(CPACK_PACKAGE_VENDOR "The Procession authors")
set(CPACK_PACKAGE_CONTACT "The Procession authors <procession@example.org>")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL runtime development doc)
# Of the build of the static library, which is packed beside the shared one.
set(CPACK_COMPONENTS_STATIC development)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "processes, pools and queues as in Python's multiprocessing")
set(about
    "A function call becomes a process, a loop becomes a pool of processes; queues,
pipes, locks, shared values, managers and executors tie them together. A task
may crash, leak, hang or be killed, and everything else goes on.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libprocession${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "${about}\n.\nThis package has the shared library.")

# The loader's cache is renewed by a trigger, and packages that need the library say which one.
file(WRITE ${PROJECT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
file(WRITE ${PROJECT_BINARY_DIR}/shlibs
     "libprocession ${PROJECT_VERSION_MAJOR} libprocession${PROJECT_VERSION_MAJOR} (>= "
     "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/triggers"
                                               "${PROJECT_BINARY_DIR}/shlibs")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libprocession-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libprocession${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}-1), libssl-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS libprocession-doc)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "${about}\n.\nThis package has the headers, the static library, and what CMake and pkg-config\nneed.")

set(CPACK_DEBIAN_DOC_PACKAGE_NAME libprocession-doc)
set(CPACK_DEBIAN_DOC_PACKAGE_SECTION doc)
set(CPACK_DEBIAN_DOC_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DOC_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DOC_DESCRIPTION
    "${about}\n.\nThis package has the documentation and the examples.")

# What Debian asks of every package.
string(TIMESTAMP procession_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${PROJECT_SOURCE_DIR}/cmake/debian/changelog.in ${PROJECT_BINARY_DIR}/changelog @ONLY)
find_program(PROCESSION_GZIP gzip REQUIRED)
execute_process(COMMAND ${PROCESSION_GZIP} -9nkf ${PROJECT_BINARY_DIR}/changelog
                COMMAND_ERROR_IS_FATAL ANY)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(folder share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(
    FILES ${PROJECT_SOURCE_DIR}/cmake/debian/copyright
    DESTINATION ${folder}
    COMPONENT ${component})
  install(
    FILES ${PROJECT_BINARY_DIR}/changelog.gz
    DESTINATION ${folder}
    RENAME changelog.Debian.gz
    COMPONENT ${component})
endforeach()

include(CPack)
