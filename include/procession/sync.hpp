#pragma once

/// Locks, semaphores, events, conditions and barriers that processes share.
#include "procession/barrier.hpp"
#include "procession/condition.hpp"
#include "procession/event.hpp"
#include "procession/lock.hpp"
#include "procession/semaphore.hpp"
