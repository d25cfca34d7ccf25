#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/detail/registry.hpp"
#include "procession/detail/served_dict.hpp"
#include "procession/detail/served_list.hpp"
#include "procession/detail/served_queue.hpp"
#include "procession/detail/served_sync.hpp"

// The names by which other programs call the types that a manager knows: those that their proxies
// use.
namespace procession::detail {

template <class S>
struct Methods {
  std::vector<RegisteredMethod> all;

  /// Nothing where there is one of that name with the same arguments.
  template <auto kMethod>
  Methods& add(const char* name) {
    RegisteredMethod method = register_method<kMethod, S>(name);
    const bool is_new = std::none_of(all.begin(), all.end(), [&](const RegisteredMethod& one) {
      return one.name == method.name && one.arguments.fingerprint == method.arguments.fingerprint;
    });
    if (is_new) all.push_back(std::move(method));
    return *this;
  }
};

/// How other programs make one: as a connected Manager does.
template <class S>
std::vector<RegisteredMaker> known_makers() {
  std::vector<RegisteredMaker> all;
  if constexpr (std::is_default_constructible_v<S>) all.push_back(register_maker<S>());
  if constexpr (requires { typename S::Initial; }) {
    all.push_back(register_maker<S, typename S::Initial>());
  }
  return all;
}

template <class K, class V, class S = ServedDict<K, V>>
void list_methods(Methods<ServedDict<K, V>>& methods) {
  methods.template add<&S::get>("get")
      .template add<&S::get_or>("get_or")
      .template add<&S::set>("set")
      .template add<&S::set_default>("set_default")
      .template add<&S::contains>("contains")
      .template add<&S::erase>("erase")
      .template add<&S::pop>("pop")
      .template add<&S::pop_or>("pop_or")
      .template add<&S::pop_item>("pop_item")
      .template add<&S::keys>("keys")
      .template add<&S::values>("values")
      .template add<&S::items>("items")
      .template add<&S::update>("update")
      .template add<&S::clear>("clear")
      .template add<&S::size>("size");
}

template <class T, class S = ServedList<T>>
void list_methods(Methods<ServedList<T>>& methods) {
  methods.template add<&S::append>("append")
      .template add<&S::get>("get")
      .template add<&S::set>("set")
      .template add<&S::insert>("insert")
      .template add<&S::erase>("erase")
      .template add<&S::pop>("pop")
      .template add<&S::extend>("extend")
      .template add<&S::values>("values")
      .template add<&S::clear>("clear")
      .template add<&S::size>("size");
}

template <class T, class S = ServedSet<T>>
void list_methods(Methods<ServedSet<T>>& methods) {
  methods.template add<&S::insert>("insert")
      .template add<&S::contains>("contains")
      .template add<&S::erase>("erase")
      .template add<&S::update>("update")
      .template add<&S::values>("values")
      .template add<&S::clear>("clear")
      .template add<&S::size>("size");
}

template <class T, class S = ServedArray<T>>
void list_methods(Methods<ServedArray<T>>& methods) {
  methods.template add<&S::get>("get")
      .template add<&S::set>("set")
      .template add<&S::values>("values")
      .template add<&S::size>("size");
}

/// Both operators of a number, in each of these types; some may be the same.
template <class T, class... Sum, class S = ServedValue<T>>
void list_operators_in(Methods<S>& methods) {
  const auto list = [&]<class One>(std::type_identity<One>) {
    if constexpr (Encodable<One>) {
      methods.template add<&S::template add<One>>("add");
      methods.template add<&S::template subtract<One>>("subtract");
    }
  };
  (list(std::type_identity<Sum>()), ...);
}

template <class T, class S = ServedValue<T>>
void list_methods(Methods<ServedValue<T>>& methods) {
  methods.template add<&S::value>("value").template add<&S::set_value>("set_value");
  if constexpr (std::is_arithmetic_v<T>) {
    list_operators_in<T, SumType<T, int>, SumType<T, unsigned>, SumType<T, long>,
                      SumType<T, unsigned long>, SumType<T, long long>,
                      SumType<T, unsigned long long>, SumType<T, float>, SumType<T, double>,
                      SumType<T, long double>>(methods);
  } else {
    if constexpr (requires(const T& value) { static_cast<T>(value + value); }) {
      methods.template add<&S::template add<T>>("add");
    }
    if constexpr (requires(const T& value) { static_cast<T>(value - value); }) {
      methods.template add<&S::template subtract<T>>("subtract");
    }
  }
}

template <class T, class S = ServedQueue<T>>
void list_methods(Methods<ServedQueue<T>>& methods) {
  methods.template add<&S::put>("put")
      .template add<&S::get>("get")
      .template add<&S::size>("size")
      .template add<&S::full>("full")
      .template add<&S::shutdown>("shutdown")
      .template add<&S::task_done>("task_done")
      .template add<&S::join>("join");
}

void list_methods(Methods<ServedLock>& methods);
void list_methods(Methods<ServedRLock>& methods);
void list_methods(Methods<ServedCondition>& methods);
void list_methods(Methods<ServedSemaphore>& methods);
void list_methods(Methods<ServedBoundedSemaphore>& methods);
void list_methods(Methods<ServedEvent>& methods);
void list_methods(Methods<ServedBarrier>& methods);

}  // namespace procession::detail
