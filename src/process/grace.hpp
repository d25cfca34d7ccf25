#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "platform/deadline.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

// How children are ended: asked by SIGTERM, and killed if they have not heeded that when their
// grace is over. Those that are ended together have one grace together, so that it does not take
// longer the more there are; a stopped one, which heeds nothing, uses up no more of it than others.
namespace procession::process {

/// How long terminated children may take to end before they are killed.
inline constexpr std::chrono::seconds kGrace{5};
/// The same of workers, which have nothing of their own to bring to an end.
inline constexpr std::chrono::seconds kWorkersGrace{2};
/// The same of fork servers, which have nothing at all; and how much of a grace that others have
/// used up is left to them in any case.
inline constexpr std::chrono::seconds kServersGrace{2};
inline constexpr std::chrono::milliseconds kServersLeast{500};

/// Does it to a child. One that its owner closes at this very moment is its owner's to end, and
/// those beside it are ended. False where it could not be done.
template <class Action>
bool attempt(const Action& action) {
  try {
    action();
    return true;
  } catch (const ProcessError&) {
    return false;
  }
}

/// SIGTERM to each. Children are pointers to `detail::Child`.
template <class Children>
void terminate_all(const Children& children) {
  for (const auto& child : children) {
    attempt([&] { child->signal(platform::Signal::terminate); });
  }
}

/// Waits for the end of children that were sent SIGTERM, and kills those that are left when the
/// grace is over. False where some cannot be killed, as when this process has become another user:
/// they end with it.
template <class Children>
bool join_terminated(const Children& children, const platform::Deadline& grace) {
  std::vector<bool> ended;
  for (const auto& child : children) {
    bool has = true;
    attempt([&] { has = child->join(grace.left()); });
    ended.push_back(has);
  }
  bool all = true;
  std::vector<bool> ends;
  for (std::size_t i = 0; const auto& child : children) {
    ends.push_back(ended[i++] || attempt([&] { child->signal(platform::Signal::kill); }));
    all = all && ends.back();
  }
  for (std::size_t i = 0; const auto& child : children) {
    if (ends[i++]) {
      attempt([&] { child->join({}); });
    }
  }
  return all;
}

}  // namespace procession::process
