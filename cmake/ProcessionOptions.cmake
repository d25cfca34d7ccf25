# Build-wide settings: only a build of Procession itself gets them, never a project that includes it.

set(PROCESSION_WARNING_FLAGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Optimised, gcc 12 sees an overlap in `"text" + std::string` where none is (its bug 105651), and
  # an overflow in a store to an atomic behind a pointer that it takes for null.
  list(APPEND PROCESSION_WARNING_FLAGS -Wno-restrict -Wno-stringop-overflow)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # To gcc, a file that is compiled together with others is a header, where an anonymous namespace
  # would be a mistake.
  list(APPEND PROCESSION_WARNING_FLAGS -Wno-subobject-linkage)
endif()

# Warnings are errors in our own build; users' compilers may know warnings that we do not.
function(procession_set_warnings target)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE ${PROCESSION_WARNING_FLAGS})
  endif()
endfunction()

# Where CMAKE_UNITY_BUILD is on, files of one folder are compiled together, and none of another: it
# is within a folder that names in anonymous namespaces are unique.
function(procession_unite_by_folder target)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    set_property(SOURCE ${source} PROPERTY UNITY_GROUP ${folder})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
endfunction()

# A program of this repository: test, example, benchmark.
function(procession_add_program target)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE procession::procession)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  procession_set_warnings(${target})
endfunction()

# Sets `result` to the libraries to link with for the sources that include zlib.h, png.h or jpeglib.h;
# to MISSING where one of these is not there.
function(procession_find_libraries result)
  set(headers "zlib" "png" "jpeglib")
  set(packages "ZLIB" "PNG" "JPEG")
  set(libraries "")
  foreach(source IN LISTS ARGN)
    foreach(header package IN ZIP_LISTS headers packages)
      file(STRINGS ${source} includes REGEX "^#include <${header}\\.h>")
      if(includes)
        find_package(${package} QUIET)
        if(NOT ${package}_FOUND)
          message(STATUS "${package} not found: ${source} is left out")
          set(${result} MISSING PARENT_SCOPE)
          return()
        endif()
        list(APPEND libraries ${package}::${package})
      endif()
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES libraries)
  set(${result} "${libraries}" PARENT_SCOPE)
endfunction()

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Type of build" FORCE)
endif()

if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(PROCESSION_CCACHE ccache)
  if(PROCESSION_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${PROCESSION_CCACHE})
  endif()
endif()

if(PROCESSION_SANITIZE)
  add_compile_options(-fsanitize=${PROCESSION_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PROCESSION_SANITIZE})
endif()
if(PROCESSION_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(PROCESSION_COVERAGE)
  # Many processes of one program write the same counters.
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
