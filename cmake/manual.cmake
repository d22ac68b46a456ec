# The manual of the library, section 3, made by tools/manual from the comments of the public headers: target
# troupe_manual. tools/manual removes what it does not make, so the folder always holds exactly today's
# pages. It needs nothing but Python; a build without it has no manual, and says so.

find_program(TROUPE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT TROUPE_PYTHON)
    message(STATUS "python3 is not here: the manual of the library is not made")
    return()
endif()

# SOURCE_DATE_EPOCH, where it is set, is the date of the pages.
string(TIMESTAMP manual_date "%Y-%m-%d" UTC)
set(manual_folder "${PROJECT_BINARY_DIR}/manual/man3")
troupe_glob(manual_headers include/*.h include/troupe/*.h)
add_custom_command(
    OUTPUT "${manual_folder}/troupe.3"
    COMMAND "${TROUPE_PYTHON}" -B tools/manual . "${manual_folder}" "${PROJECT_VERSION}" "${manual_date}"
    DEPENDS ${manual_headers} examples/hello.c tools/manual tools/public_headers.py
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    COMMENT "Making the manual"
    VERBATIM)
add_custom_target(troupe_manual ALL DEPENDS "${manual_folder}/troupe.3")
install(DIRECTORY "${manual_folder}" DESTINATION "${CMAKE_INSTALL_MANDIR}")
