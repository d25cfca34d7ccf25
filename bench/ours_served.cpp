// The operations of managers and of connections through the network: `ours_served OPERATION`. A
// program of its own, because it brings OpenSSL along, which makes every new process dearer.

#include <iostream>

#include "ours.hpp"

int main(int argc, char** argv) {
  procession::init();
  if (argc < 2) {
    std::cerr << "usage: ours_served OPERATION\n";
    return 2;
  }
  Operations operations = network_operations();
  operations.merge(manager_operations());
  return contestant::serve(operations, argv[1]);
}
