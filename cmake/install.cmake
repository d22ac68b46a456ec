# What `cmake --install` leaves behind: the headers, both libraries, troupe.pc, the CMake package and the
# manual.

if(NOT TARGET troupe_shared)
    return()
endif()

include(CMakePackageConfigHelpers)

install(TARGETS troupe_shared troupe_static EXPORT troupe-targets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(TARGET troupe)
    install(DIRECTORY docs/man/ DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" FILES_MATCHING PATTERN "*.1")
endif()
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

# From the pkgconfig folder back to the prefix, so that an installed tree can be moved and is still found.
file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
set(TROUPE_PC_PREFIX "\${pcfiledir}/${pc_prefix}")
configure_file(cmake/troupe.pc.in troupe.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/troupe.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/troupe")
configure_package_config_file(cmake/troupe-config.cmake.in troupe-config.cmake
    INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/troupe-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/troupe-config.cmake" "${PROJECT_BINARY_DIR}/troupe-config-version.cmake"
    DESTINATION "${package_folder}")
install(EXPORT troupe-targets NAMESPACE troupe:: DESTINATION "${package_folder}")
