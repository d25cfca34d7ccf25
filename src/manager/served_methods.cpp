#include "procession/detail/served_methods.hpp"

namespace procession::detail {

namespace {

template <class S>
void list_lock(Methods<S>& methods) {
  methods.template add<&S::acquire>("acquire")
      .template add<&S::release>("release")
      .template add<&S::owner_died>("owner_died");
}

template <class S>
void list_semaphore(Methods<S>& methods) {
  methods.template add<&S::acquire>("acquire")
      .template add<&S::release>("release")
      .template add<&S::value>("value");
}

}  // namespace

void list_methods(Methods<ServedLock>& methods) { list_lock(methods); }
void list_methods(Methods<ServedRLock>& methods) { list_lock(methods); }
void list_methods(Methods<ServedCondition>& methods) {
  list_lock(methods);
  methods.add<&ServedCondition::wait>("wait").add<&ServedCondition::notify>("notify");
}
void list_methods(Methods<ServedSemaphore>& methods) { list_semaphore(methods); }
void list_methods(Methods<ServedBoundedSemaphore>& methods) { list_semaphore(methods); }
void list_methods(Methods<ServedEvent>& methods) {
  methods.add<&ServedEvent::set>("set")
      .add<&ServedEvent::clear>("clear")
      .add<&ServedEvent::is_set>("is_set")
      .add<&ServedEvent::wait>("wait");
}
void list_methods(Methods<ServedBarrier>& methods) {
  methods.add<&ServedBarrier::wait>("wait")
      .add<&ServedBarrier::reset>("reset")
      .add<&ServedBarrier::abort>("abort")
      .add<&ServedBarrier::parties>("parties")
      .add<&ServedBarrier::n_waiting>("n_waiting")
      .add<&ServedBarrier::broken>("broken");
}

}  // namespace procession::detail
