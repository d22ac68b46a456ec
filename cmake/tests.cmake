# The tests, found by folder. A test's CTest name and its target are <label>_<file>, its label is its folder:
#
#   tests/<label>/*_test.c    a cmocka program; sees src/, links every inner library and tests/support/*.c;
#                             *_faults_test.c gets its memory and system calls through tests/support/faults.c;
#                             one of label unit with "one thread" in its head is refused another, and is not
#                             built for the thread sanitizer
#   tests/<label>/*_test.py   run by the system's Python; those of tests/tidy, label unit, in plain builds
#   tests/sim/planted/*.c     one program, see there
#   tests/sim/year_planted/*.c   another, see there
#   tests/fuzz/*_fuzz.c       libFuzzer target in preset fuzz; elsewhere runs tests/fuzz/corpus/<name>/ once
#   examples/*.c              label example; its output must equal examples/<name>.expected where that exists;
#                             one with a tests/example/<name>_test.py is run by that instead
#
# Target tests_<label> builds what that label's tests run, so that a part can be run without building all of
# it; label and target core are those that the coverage of src/core is counted from. Tests find the tree by
# TROUPE_SOURCE_DIR, the build by TROUPE_BUILD_DIR and the program by TROUPE_BIN.

enable_testing()
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
find_program(TROUPE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)

# Seconds a test may take before it counts as hung; sanitizers and coverage cost about three times.
set(timeout_default 60)
set(timeout_sim 400)
set(timeout_crash 300)
set(timeout_e2e 180)
set(timeout_install 300)

# Tests that need real parallelism count for three of ctest's -j, so that on two cores, for which ./test has
# -j 3, they run alone.
set(processors_race 3)

# The longest are begun first, so that none is left alone at the end: seconds, roughly, of a plain build.
set(cost_sim 20)
set(cost_crash 12)
set(cost_e2e 9)
set(cost_install 8)
set(cost_model 9)
set(cost_sim_year_planted 40)
set(cost_crash_server_kill_test 35)
set(cost_e2e_server_page_test 18)
set(cost_e2e_cli_work_test 16)
set(cost_unit_journal_disk_faults_test 8)
set(cost_unit_journal_damage_test 8)
set(cost_unit_core_supervisor_faults_test 5)

set(test_environment
    "TROUPE_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "TROUPE_BUILD_DIR=${PROJECT_BINARY_DIR}"
    "TROUPE_BIN=${PROJECT_BINARY_DIR}/troupe"
    "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")

function(troupe_describe_test name label)
    set(seconds ${timeout_default})
    if(DEFINED timeout_${label})
        set(seconds ${timeout_${label}})
    endif()
    if(TROUPE_SANITIZE OR TROUPE_COVERAGE)
        math(EXPR seconds "${seconds} * 3")
    endif()
    set_tests_properties(${name} PROPERTIES
        LABELS ${label} TIMEOUT ${seconds} ENVIRONMENT "${test_environment}" SKIP_RETURN_CODE 77)
    foreach(which IN ITEMS ${name} ${label})
        if(DEFINED cost_${which})
            set_tests_properties(${name} PROPERTIES COST ${cost_${which}})
            break()
        endif()
    endforeach()
    # The relief of a worker whose handler is stuck takes threads and time: it is among the races.
    if(name MATCHES "^(unit|property|sim)_(core|env)_|^race_core_relief_" AND TARGET ${name})
        set_property(TEST ${name} APPEND PROPERTY LABELS core)
        add_dependencies(tests_core ${name})
    endif()
    if(DEFINED processors_${label})
        set_tests_properties(${name} PROPERTIES PROCESSORS ${processors_${label}})
    endif()
endfunction()

# The labels that ./test and CONTRIBUTING.md name exist, also without a test.
foreach(label IN ITEMS unit property race sim fuzz crash e2e example install bench-smoke)
    add_custom_target(tests_${label})
endforeach()
add_custom_target(tests_core)

# troupe_label_target(<label> [target...]): tests_<label> also builds these, where they exist.
function(troupe_label_target label)
    if(NOT TARGET tests_${label})
        add_custom_target(tests_${label})
    endif()
    foreach(target IN LISTS ARGN)
        if(TARGET ${target})
            add_dependencies(tests_${label} ${target})
        endif()
    endforeach()
endfunction()

# --- C ------------------------------------------------------------------------------------------------------

troupe_glob(support_sources tests/support/*.c)
add_library(test_support INTERFACE)
target_include_directories(test_support INTERFACE "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(test_support INTERFACE ${TROUPE_INNER_LIBRARIES} PkgConfig::cmocka m)
if(support_sources)
    add_library(test_support_objects STATIC ${support_sources})
    troupe_inner_target(test_support_objects)
    target_include_directories(test_support_objects PUBLIC "${PROJECT_SOURCE_DIR}/tests")
    target_link_libraries(test_support_objects PUBLIC ${TROUPE_INNER_LIBRARIES} PkgConfig::cmocka)
    target_link_libraries(test_support INTERFACE test_support_objects)
endif()

function(troupe_test_program name label source)
    add_executable(${name} "${source}" ${ARGN})
    troupe_inner_target(${name})
    cmake_path(GET source STEM stem)
    set_target_properties(${name} PROPERTIES
        OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/${label}")
    target_link_libraries(${name} PRIVATE test_support)
    troupe_label_target(${label} ${name})
endfunction()

# What tests/support/faults.c stands in front of.
set(faults_wrapped malloc calloc realloc aligned_alloc strdup free mmap munmap slab_init slab_done
    slab_alloc_hard epoll_create1 eventfd epoll_ctl epoll_wait read write pthread_create)
list(TRANSFORM faults_wrapped PREPEND "LINKER:--wrap=")

# troupe_says_one_thread(<out> <source>): whether the head of a test says so.
function(troupe_says_one_thread out source)
    file(READ "${source}" head LIMIT 2000)
    string(REGEX REPLACE "[ *\n]+" " " head "${head}")
    string(REGEX MATCH "[Oo]ne thread.*#include" says "${head}")
    if(says)
        set(says TRUE)
    endif()
    set(${out} "${says}" PARENT_SCOPE)
endfunction()

troupe_glob(test_sources tests/*/*_test.c)
foreach(source IN LISTS test_sources)
    cmake_path(GET source STEM stem)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME label)
    set(name ${label}_${stem})
    set(has_one_thread FALSE)
    if(label STREQUAL "unit")
        troupe_says_one_thread(has_one_thread "${source}")
    endif()
    if(has_one_thread AND TROUPE_SANITIZE STREQUAL "thread")
        continue()
    endif()
    set(guard)
    if(has_one_thread AND NOT TROUPE_SANITIZE)
        set(guard "${PROJECT_SOURCE_DIR}/tests/unit/one_thread.c")
    endif()
    troupe_test_program(${name} ${label} "${source}" ${guard})
    if(stem MATCHES "_faults_test$")
        target_link_options(${name} PRIVATE ${faults_wrapped})
    endif()
    add_test(NAME ${name} COMMAND ${name})
    troupe_describe_test(${name} ${label})
endforeach()

# org_year_test lives the years of its first seeds; further runs of it, beside each other, those up to 100.
# Under sanitizers and counters of lines a few years are enough.
if(TARGET sim_org_year_test AND NOT TROUPE_SANITIZE AND NOT TROUPE_COVERAGE)
    foreach(first IN ITEMS 26 51 76)
        add_test(NAME sim_org_year_test_from_${first} COMMAND sim_org_year_test)
        troupe_describe_test(sim_org_year_test_from_${first} sim)
        set_property(TEST sim_org_year_test_from_${first} APPEND PROPERTY
            ENVIRONMENT "TROUPE_SEED=${first}" "TROUPE_SEEDS=25")
    endforeach()
endif()

# --- planted bugs -------------------------------------------------------------------------------------------

# tests/sim/planted/*.c is one program, on a libtroupe that has the bugs of src/base/plant.h.
troupe_glob(planted_sources tests/sim/planted/*.c)
if(TROUPE_PLANT AND planted_sources)
    add_library(troupe_planted STATIC ${core_sources})
    troupe_inner_target(troupe_planted)
    target_include_directories(troupe_planted PUBLIC "${PROJECT_SOURCE_DIR}/include")
    target_compile_definitions(troupe_planted PUBLIC TROUPE_PLANT)
    target_link_libraries(troupe_planted PUBLIC Threads::Threads)
    add_executable(sim_planted ${planted_sources})
    troupe_inner_target(sim_planted)
    set_target_properties(sim_planted PROPERTIES
        OUTPUT_NAME planted RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/sim")
    target_link_libraries(sim_planted PRIVATE troupe_planted)
    troupe_label_target(sim sim_planted)
    add_test(NAME sim_planted COMMAND sim_planted)
    troupe_describe_test(sim_planted sim)
endif()

# tests/sim/year_planted/*.c is one program, with the organisation's rules and actors as they are with the
# bugs of src/org/plant.h. Its own objects stand before the libraries, which give it the rest.
troupe_glob(year_planted_sources tests/sim/year_planted/*.c src/org/*.c
    src/server/role_*.c src/server/desk*.c src/server/directory_*.c)
if(TROUPE_PLANT AND TARGET troupe_server)
    add_executable(sim_year_planted ${year_planted_sources}
        tests/support/org_year.c tests/support/org_year_fate.c tests/support/org_year_oracle.c
        tests/support/org_year_notices.c tests/support/org_year_people.c tests/support/server_house.c
        tests/support/house_journal.c
        tests/support/disk_faults.c tests/support/journal_power.c tests/support/journal_support.c)
    troupe_inner_target(sim_year_planted)
    target_compile_definitions(sim_year_planted PRIVATE ORG_PLANT)
    target_include_directories(sim_year_planted PRIVATE "${PROJECT_SOURCE_DIR}/tests")
    set_target_properties(sim_year_planted PROPERTIES
        OUTPUT_NAME year_planted RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/sim")
    target_link_libraries(sim_year_planted PRIVATE ${TROUPE_INNER_LIBRARIES} PkgConfig::cmocka m)
    troupe_label_target(sim sim_year_planted)
    add_test(NAME sim_year_planted COMMAND sim_year_planted)
    troupe_describe_test(sim_year_planted sim)
endif()

# --- fuzzing ------------------------------------------------------------------------------------------------

troupe_glob(fuzz_sources tests/fuzz/*_fuzz.c)
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM stem)
    string(REGEX REPLACE "_fuzz$" "" corpus "${stem}")
    set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${corpus}")
    if(TROUPE_LIBFUZZER)
        troupe_test_program(fuzz_${stem} fuzz "${source}")
        target_link_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
        add_test(NAME fuzz_${stem} COMMAND fuzz_${stem} -runs=0 "${corpus}")
    else()
        troupe_test_program(fuzz_${stem} fuzz "${source}" "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_main.c")
        add_test(NAME fuzz_${stem} COMMAND fuzz_${stem} "${corpus}")
    endif()
    troupe_describe_test(fuzz_${stem} fuzz)
endforeach()

# --- scripts and examples -----------------------------------------------------------------------------------

troupe_glob(test_scripts tests/*/*_test.py)
foreach(script IN LISTS test_scripts)
    cmake_path(GET script STEM stem)
    cmake_path(GET script PARENT_PATH folder)
    cmake_path(GET folder FILENAME label)
    if(label MATCHES "^(e2e|crash)$" AND NOT TARGET troupe)
        continue()
    endif()
    # An installed tree is used by plain programs, so it is tested in plain builds.
    if(label STREQUAL "install" AND (TROUPE_SANITIZE OR TROUPE_COVERAGE OR NOT TARGET troupe_shared))
        continue()
    endif()
    # The tools know nothing of how the rest was compiled.
    if(label STREQUAL "tidy" AND (TROUPE_SANITIZE OR TROUPE_COVERAGE))
        continue()
    endif()
    set(name ${label}_${stem})
    if(label STREQUAL "tidy")
        set(label unit)
    endif()
    add_test(NAME ${name} COMMAND "${TROUPE_PYTHON}" -B "${script}")
    troupe_describe_test(${name} ${label})
    if(NOT label STREQUAL "example") # its programs are its examples
        troupe_label_target(${label} troupe troupe_shared troupe_static troupe_manual)
    endif()
endforeach()
troupe_label_target(bench-smoke ${bench_targets})

foreach(source IN LISTS example_sources)
    cmake_path(GET source STEM name)
    troupe_label_target(example example_${name})
    if(EXISTS "${PROJECT_SOURCE_DIR}/tests/example/${name}_test.py")
        continue()
    endif()
    add_test(NAME example_${name} COMMAND "${CMAKE_COMMAND}"
        "-DPROGRAM=$<TARGET_FILE:example_${name}>"
        "-DEXPECTED=${PROJECT_SOURCE_DIR}/examples/${name}.expected"
        -P "${PROJECT_SOURCE_DIR}/cmake/run_example.cmake")
    troupe_describe_test(example_${name} example)
endforeach()
