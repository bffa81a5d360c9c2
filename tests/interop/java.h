// Java programs: the ones of this folder from their source, and Kafka's own command line tools.
#pragma once

#include <string>
#include <vector>

#include "testing/child_process.h"

namespace muir::interop {

// One of the *.java files of this folder, with Kafka's jars.
testing::ChildOptions java_program(const std::string& file, const std::vector<std::string>& arguments);

struct ToolAnswer {
  int exit_code = -1;
  std::string output;  // standard output and standard error

  [[nodiscard]] bool has(std::string_view text) const { return output.find(text) != std::string::npos; }
};

// Runs the main() of a tool in a JVM that all tests share (Tools.java). Not thread-safe.
ToolAnswer run_tool(const std::string& main_class, const std::vector<std::string>& arguments,
                    const std::string& input = "");

}  // namespace muir::interop
