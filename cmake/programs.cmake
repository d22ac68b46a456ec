# Programs beside the product: examples/*.c as a user would build them (public header, shared library), and
# bench/*.c, which may look inside. bench/support/*.c, when there, is linked into each measuring program.

if(NOT TARGET troupe_shared)
    return()
endif()

troupe_glob(example_sources examples/*.c)
foreach(source IN LISTS example_sources)
    cmake_path(GET source STEM name)
    add_executable(example_${name} "${source}")
    set_target_properties(example_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
    target_link_libraries(example_${name} PRIVATE troupe_shared)
endforeach()

if(NOT TROUPE_SERVER)
    return() # some of the programs measure the journal and the roles
endif()

troupe_glob(bench_sources bench/*.c)
troupe_glob(bench_support_sources bench/support/*.c)
if(bench_support_sources)
    add_library(bench_support STATIC ${bench_support_sources})
    troupe_inner_target(bench_support)
    target_include_directories(bench_support PUBLIC "${PROJECT_SOURCE_DIR}/bench")
    target_link_libraries(bench_support PUBLIC ${TROUPE_INNER_LIBRARIES})
endif()
set(bench_targets)
foreach(source IN LISTS bench_sources)
    cmake_path(GET source STEM name)
    add_executable(bench_${name} "${source}")
    list(APPEND bench_targets bench_${name})
    troupe_inner_target(bench_${name})
    set_target_properties(bench_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bench")
    target_link_libraries(bench_${name} PRIVATE
        $<TARGET_NAME_IF_EXISTS:bench_support> ${TROUPE_INNER_LIBRARIES} m)
endforeach()
