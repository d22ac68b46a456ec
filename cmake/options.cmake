# Language, warnings, and what a preset can turn on. Everything here holds for every target of the project.

option(TROUPE_SERVER "Build the server and the command line, which need more than the C library" ON)
option(TROUPE_TESTS "Build the tests, which are of all of it (needs cmocka)" ON)
option(TROUPE_WERROR "Treat warnings as errors" ON)
option(TROUPE_LTO "Optimise at link time" OFF)
option(TROUPE_COVERAGE "Count executed lines" OFF)
option(TROUPE_LIBFUZZER "Link tests/fuzz with libFuzzer (needs clang)" OFF)
set(TROUPE_SANITIZE "" CACHE STRING "Argument of -fsanitize=, empty for none")
# The bugs are true ones, which sanitizers and counters of lines have nothing to say about.
set(plant_default ${TROUPE_TESTS})
if(TROUPE_SANITIZE OR TROUPE_COVERAGE)
    set(plant_default OFF)
endif()
option(TROUPE_PLANT "Build a second libtroupe with bugs that tests/sim/planted switches on" ${plant_default})

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Assertions stay on in every build, so no build type defines NDEBUG. Sanitizers tell files and lines, for
# which -g1 has enough (counts of lines need -g: without it fewer lines are told apart); clang's warnings
# do not depend on -O. Either saves a third of such a build's time, or more.
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
if(TROUPE_SANITIZE)
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")
elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")

include(GNUInstallDirs)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -fno-semantic-interposition
    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
add_link_options(LINKER:--as-needed)

if(TROUPE_WERROR)
    add_compile_options(-Werror)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND (TROUPE_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL "Debug"))
    # What instrumentation and inlining across files do to the code makes gcc guess wrong in the warnings that
    # follow values through it; preset dev has them all.
    set(guesses -Wno-format-truncation -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
        -Wno-restrict)
    add_compile_options(${guesses})
    add_link_options(${guesses})
endif()
if(TROUPE_SANITIZE)
    # A finding ends the program: a test that prints a finding and passes is a test that cannot fail.
    add_compile_options(-fsanitize=${TROUPE_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${TROUPE_SANITIZE})
endif()
if(TROUPE_LIBFUZZER)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TROUPE_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
if(TROUPE_LTO)
    # Fat objects, so that the installed libtroupe.a also links without the plug-in and with another compiler.
    add_compile_options(-flto=auto -ffat-lto-objects)
    add_link_options(-flto=auto)
    set(CMAKE_AR gcc-ar)
    set(CMAKE_RANLIB gcc-ranlib)
endif()
