#pragma once

/// Memory that processes share: values and arrays of a process tree, and blocks with a name that
/// any program of the machine can open.
#include "procession/array.hpp"
#include "procession/shareable_list.hpp"
#include "procession/shared_memory.hpp"
#include "procession/value.hpp"
