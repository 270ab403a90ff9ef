# Libraries, all from Debian 12 (scripts/packages.txt). Their headers are SYSTEM: their warnings are not ours.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(md REQUIRED IMPORTED_TARGET libmd)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)

# libzookeeper-mt has no pkg-config file; THREADED selects the multi-threaded library's synchronous calls and types.
find_library(ZOOKEEPER_MT_LIBRARY zookeeper_mt REQUIRED)
add_library(skiff_zookeeper_client INTERFACE)
target_link_libraries(skiff_zookeeper_client INTERFACE ${ZOOKEEPER_MT_LIBRARY})
target_compile_definitions(skiff_zookeeper_client INTERFACE THREADED)
