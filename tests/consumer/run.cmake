# Gets the library by each of the routes that a user has, and builds and runs the consumer project:
# the installed static library by find_package and by pkg-config, the sources by FetchContent (which
# builds a shared library), and the shared library that this installs.

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed (${result}): ${ARGN}")
  endif()
endfunction()

# consume NAME OPTIONS...
function(consume name)
  message("=== consumer: ${name}")
  run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/${name} -G ${GENERATOR}
      -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=${BUILD_TYPE} ${ARGN})
  run(${CMAKE_COMMAND} --build ${WORK_DIR}/${name})
  run(${WORK_DIR}/${name}/consumer)
endfunction()

# The file of the kind that the consumer was linked with is, or is not, needed when it runs.
function(expect_shared name expected)
  execute_process(COMMAND readelf -d ${WORK_DIR}/${name}/consumer OUTPUT_VARIABLE dynamic
                  RESULT_VARIABLE result)
  string(FIND "${dynamic}" "[libprocession.so.0]" place)
  if(result EQUAL 0 AND NOT (expected AND place GREATER 0 OR NOT expected AND place EQUAL -1))
    message(FATAL_ERROR "${name}: not linked with the library that was asked for:\n${dynamic}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
set(static ${WORK_DIR}/static)
set(both ${WORK_DIR}/both)
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${static})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${both} --component development)

consume(package-static -DPROCESSION_ROUTE=package -DCMAKE_PREFIX_PATH=${static})
expect_shared(package-static OFF)
consume(pkg-config-static -DPROCESSION_ROUTE=pkg-config -DCMAKE_PREFIX_PATH=${static})
expect_shared(pkg-config-static OFF)

consume(fetch -DPROCESSION_ROUTE=fetch -DPROCESSION_SOURCE=${PROJECT} -DBUILD_SHARED_LIBS=ON
        -DPROCESSION_INSTALL=ON -DCMAKE_UNITY_BUILD=${UNITY})
expect_shared(fetch ON)
run(${CMAKE_COMMAND} --install ${WORK_DIR}/fetch --prefix ${both})

set(ENV{LD_LIBRARY_PATH} ${both}/lib)
consume(package-both -DPROCESSION_ROUTE=package -DCMAKE_PREFIX_PATH=${both})
expect_shared(package-both ON)
consume(package-both-static -DPROCESSION_ROUTE=package -DCMAKE_PREFIX_PATH=${both}
        -DPROCESSION_KIND=static)
expect_shared(package-both-static OFF)
consume(pkg-config-shared -DPROCESSION_ROUTE=pkg-config -DCMAKE_PREFIX_PATH=${both})
expect_shared(pkg-config-shared ON)
