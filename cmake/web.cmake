# The browser side: web/main.ts and what it imports is bundled by esbuild, the pages, style sheets and images
# are copied, and all of it is embedded in troupe_server as read-only bytes, so that the server is one file.
#
# The generated header web_assets.h declares:
#
#   struct web_asset {
#       const char *path;          // "/main.js", "/index.html", "/style.css": as in the URL
#       const char *content_type;  // "text/html; charset=utf-8"
#       const unsigned char *data; // size bytes, not terminated
#       size_t size;
#       const char *etag;          // strong, with its quotes, ready for the header: "\"9f86d081884c7d65\""
#   };
#   extern const struct web_asset web_assets[];
#   extern const size_t web_asset_count; // 0 in a tree without web/

troupe_glob(web_scripts web/*.ts web/*/*.ts)
troupe_glob(web_files web/*.html web/*.css web/*.svg)

set(web_out "${PROJECT_BINARY_DIR}/web")
set(web_assets)

if(web_scripts)
    find_program(TROUPE_ESBUILD esbuild REQUIRED)
    add_custom_command(
        OUTPUT "${web_out}/main.js"
        COMMAND "${TROUPE_ESBUILD}" "${PROJECT_SOURCE_DIR}/web/main.ts" --bundle --minify --format=esm
                --target=es2020 --charset=utf8 --log-level=warning "--outfile=${web_out}/main.js"
        DEPENDS ${web_scripts}
        COMMENT "Bundling web/main.ts"
        VERBATIM)
    list(APPEND web_assets "${web_out}/main.js")
endif()

foreach(file IN LISTS web_files)
    cmake_path(GET file FILENAME name)
    add_custom_command(
        OUTPUT "${web_out}/${name}"
        COMMAND "${CMAKE_COMMAND}" -E copy "${file}" "${web_out}/${name}"
        DEPENDS "${file}"
        VERBATIM)
    list(APPEND web_assets "${web_out}/${name}")
endforeach()

add_custom_command(
    OUTPUT "${web_out}/generated/web_assets.c" "${web_out}/generated/web_assets.h"
    COMMAND "${CMAKE_COMMAND}" "-DOUT=${web_out}/generated" "-DFILES=${web_assets}"
            -P "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
    DEPENDS ${web_assets} "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
    COMMENT "Embedding web/"
    VERBATIM)

target_sources(troupe_server PRIVATE "${web_out}/generated/web_assets.c" "${web_out}/generated/web_assets.h")
target_include_directories(troupe_server PUBLIC "${web_out}/generated")
