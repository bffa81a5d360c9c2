// The smallest user of a library of Muir's. Its own warnings are its own business.
#include <base/status.h>

#include <cstdio>

int main() {
  int unused;
  const muir::Status status = muir::error(muir::Code::not_found, "no clock in {}", "here");
  std::puts(status.message().c_str());
}
