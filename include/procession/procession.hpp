#pragma once

/// Everything. Each of these headers can also be included by itself.
#include "procession/callable.hpp"
#include "procession/codec.hpp"
#include "procession/connection.hpp"
#include "procession/context.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"
#include "procession/init.hpp"
#include "procession/log.hpp"
#include "procession/pool.hpp"
#include "procession/process.hpp"
#include "procession/queue.hpp"
#include "procession/shared.hpp"
#include "procession/sync.hpp"
#include "procession/threading.hpp"
#include "procession/timeout.hpp"
