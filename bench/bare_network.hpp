#pragma once

#include <cstddef>

// Messages over TCP by bare system calls: the length ahead of each, and nothing else.

void tcp_there_and_back(std::size_t times);
void tcp_1m(std::size_t times);
