# Runs an example; it must end with 0 and, where EXPECTED exists, print exactly that.
# Run as: cmake -DPROGRAM=path -DEXPECTED=path -P run_example.cmake

execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE printed RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ended with ${result}; it printed:\n${printed}")
endif()
if(EXISTS "${EXPECTED}")
    file(READ "${EXPECTED}" expected)
    if(NOT printed STREQUAL expected)
        message(FATAL_ERROR "expected (${EXPECTED}):\n${expected}\nprinted:\n${printed}")
    endif()
endif()
