# find_package(parley) gives the target parley::parley.
include("${CMAKE_CURRENT_LIST_DIR}/parleyTargets.cmake")
