#pragma once

#include <cstddef>
#include <type_traits>

#include "procession/detail/codec_traits.hpp"

// How a type that cannot be sent is refused: by one line of the compiler that names the type, the
// part of it that is to blame, and what to do.
namespace procession {

// These names are read as a sentence, in the compiler's line.
// NOLINTBEGIN(readability-identifier-naming)

/// A sentence that g++ prints in an error.
template <std::size_t N>
struct because {
  char text[N];
  constexpr because(const char (&sentence)[N]) {  // NOLINT: implicit on purpose
    for (std::size_t i = 0; i != N; ++i) {
      text[i] = sentence[i];
    }
  }
};

/// Names the part of a type that is to blame.
template <class Part, class Type>
struct part_of;

/// Never defined: its use is an error, and g++'s line shows all of its arguments.
template <class TypeOrPart, because Reason>
struct cannot_be_sent;

/// Never true: clang's line about a false assertion shows it and its argument.
template <class TypeOrPart>
inline constexpr bool can_be_sent = false;

// NOLINTEND(readability-identifier-naming)

// What stays in the process that made it, and is told what to send instead.
class Process;
class Thread;
class Pool;
class ThreadPool;
class ProcessPoolExecutor;
class ThreadPoolExecutor;
template <class R>
class AsyncResult;
template <class R>
class Future;
template <class R>
class ResultRange;
class Listener;
class Manager;
class ManagerServer;

}  // namespace procession

namespace procession::detail {

template <class T>
struct Blamed {
  using type = T;
};

template <class T, class... Outer>
constexpr auto blame();

template <class T, class... Outer>
constexpr auto blame_parts(TypeList<>, TypeList<Outer...>) {
  return Blamed<T>{};
}

template <class T, class First, class... Rest, class... Outer>
constexpr auto blame_parts(TypeList<First, Rest...>, TypeList<Outer...> outer) {
  if constexpr (!encodable<First, Outer...>()) {
    return blame<First, Outer...>();
  } else if constexpr (!encodable_part<T, First, Outer...>()) {
    return Blamed<First>{};
  } else {
    return blame_parts<T>(TypeList<Rest...>{}, outer);
  }
}

/// The innermost part of T that cannot be sent.
template <class T, class... Outer>
constexpr auto blame() {
  if constexpr (kKind<T> == Kind::none) {
    return Blamed<T>{};
  } else {
    return blame_parts<T>(PartsOf<T>{}, TypeList<T, Outer...>{});
  }
}

template <class T>
concept SharedLike = requires(const T& value) {
  typename T::element_type;
  value.use_count();
};

template <class T>
concept ViewLike = requires(const T& value) {
  value.data();
  value.size();
  value.begin();
};

template <class T>
concept ProcessLike = std::is_same_v<T, Process> || std::is_same_v<T, Thread>;

template <class T>
concept PoolLike = std::is_same_v<T, Pool> || std::is_same_v<T, ThreadPool> ||
                   std::is_same_v<T, ProcessPoolExecutor> || std::is_same_v<T, ThreadPoolExecutor>;

template <class T>
concept ResultLike = kIsSpecialisation<T, AsyncResult> || kIsSpecialisation<T, Future> ||
                     kIsSpecialisation<T, ResultRange>;

template <class T>
concept ServerLike =
    std::is_same_v<T, Listener> || std::is_same_v<T, Manager> || std::is_same_v<T, ManagerServer>;

template <class T>
concept MutexLike = !std::is_copy_constructible_v<T> && requires(T& value) {
  value.lock();
  value.unlock();
  value.try_lock();
};

template <class T>
constexpr bool is_aggregate_with(AggregateFault fault) {
  if constexpr (std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_polymorphic_v<T>) {
    return aggregate_fault<T>() == fault;
  } else {
    return false;
  }
}

template <class T>
concept BaseHooked =
    std::is_class_v<T> && adl::HasEncode<T> && adl::HasDecode<T> && adl::EncodesBaseOnly<T>;

// g++ shows the arguments of an undefined template; clang cuts them short, but shows what was
// false.
#ifdef __clang__
#define PROCESSION_REFUSE(why) static_assert(can_be_sent<TypeOrPart>, why)
#else
#define PROCESSION_REFUSE(why) static_cast<void>(sizeof(cannot_be_sent<TypeOrPart, why>))
#endif

/// Stops the compilation for what is wrong with `Part`.
template <class Part, class TypeOrPart>
constexpr void refuse_for() {
  if constexpr (std::is_function_v<Part> ||
                (std::is_pointer_v<Part> && std::is_function_v<std::remove_pointer_t<Part>>)) {
    PROCESSION_REFUSE("a function is sent as a procession::Function");
  } else if constexpr (std::is_pointer_v<Part> || std::is_member_pointer_v<Part> ||
                       std::is_reference_v<Part>) {
    PROCESSION_REFUSE(
        "an address means nothing in another process: send the value, a std::string, an "
        "optional, a vector or a unique_ptr");
  } else if constexpr (std::is_same_v<Part, bit_fields>) {
    PROCESSION_REFUSE(
        "a struct with bit-fields, to which no reference can be made, needs encode and decode "
        "functions, or fields without a width");
  } else if constexpr (ProcessLike<Part>) {
    PROCESSION_REFUSE(
        "it serves the process that made it alone: send its name or pid, and let an Event, a Queue "
        "or a Connection tell what the other one is to know or to do");
  } else if constexpr (PoolLike<Part>) {
    PROCESSION_REFUSE(
        "it serves the process that made it alone: make one in the other process, or send a "
        "procession::Queue of what is to be done");
  } else if constexpr (ResultLike<Part>) {
    PROCESSION_REFUSE(
        "it is waited for in the process that asked for it: send the value once it is there");
  } else if constexpr (ServerLike<Part>) {
    PROCESSION_REFUSE(
        "it serves the process that made it alone: send its address() to connect to, or what it "
        "gave, connections and proxies");
  } else if constexpr (MutexLike<Part>) {
    PROCESSION_REFUSE(
        "a lock of this process would lock nothing in another: use procession::Lock or RLock");
  } else if constexpr (std::is_union_v<Part>) {
    PROCESSION_REFUSE(
        "which member of a union is alive is unknown: use std::variant, or give it encode and "
        "decode functions");
  } else if constexpr (BaseHooked<Part>) {
    PROCESSION_REFUSE(
        "its encode and decode are those of a base class and would drop the rest of it: give it "
        "its own");
  } else if constexpr (adl::HalfHooked<Part>) {
    PROCESSION_REFUSE(
        "it has one of void encode(procession::Encoder&, const T&) and void "
        "decode(procession::Decoder&, T&), and needs both");
  } else if constexpr (std::is_polymorphic_v<Part>) {
    PROCESSION_REFUSE(
        "it has virtual functions, and what it really is would be lost: use std::variant, or give "
        "it encode and decode functions");
  } else if constexpr (kKind<Part> == Kind::owner) {
    PROCESSION_REFUSE(
        "a unique_ptr is sent when it deletes one object by delete and that object has no derived "
        "classes: use a vector, a variant or the value");
  } else if constexpr (kKind<Part> != Kind::none) {
    PROCESSION_REFUSE("decoding makes such values by a default constructor, and it has none");
  } else if constexpr (SharedLike<Part>) {
    PROCESSION_REFUSE(
        "an object cannot be shared between processes by a pointer: send the value or a "
        "unique_ptr, or use procession::Value or Array");
  } else if constexpr (ViewLike<Part>) {
    PROCESSION_REFUSE(
        "it only looks at memory of this process: use a std::string, std::vector or std::array");
  } else if constexpr (is_aggregate_with<Part>(AggregateFault::base_class)) {
    PROCESSION_REFUSE(
        "a struct with a base class that has data needs encode and decode functions, or the base "
        "as its first field");
  } else if constexpr (is_aggregate_with<Part>(AggregateFault::reference_or_const)) {
    PROCESSION_REFUSE(
        "a struct with a field that cannot be assigned, such as a reference, a constant or a "
        "std::mutex (send a procession::Lock), needs encode and decode functions");
  } else if constexpr (is_aggregate_with<Part>(AggregateFault::too_many_fields)) {
    PROCESSION_REFUSE(
        "a struct of more than 40 fields needs encode and decode functions, or fewer fields");
  } else {
    PROCESSION_REFUSE(
        "give it functions void encode(procession::Encoder&, const T&) and void "
        "decode(procession::Decoder&, T&) in its own namespace, and a default constructor");
  }
}

#undef PROCESSION_REFUSE

/// Stops the compilation for T, which is not encodable.
template <class T>
constexpr void refuse() {
  if constexpr (!std::is_object_v<T> || std::is_const_v<T>) {
    refuse_for<T, T>();
  } else {
    using Part = typename decltype(blame<T>())::type;
    if constexpr (std::is_same_v<Part, T>) {
      refuse_for<T, T>();
    } else {
      refuse_for<Part, part_of<Part, T>>();
    }
  }
}

}  // namespace procession::detail
