#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "procession/detail/code.hpp"
#include "procession/detail/kept_target.hpp"
#include "procession/detail/stored.hpp"

// What lies inside a procession::Function: a callable of any type, and a record with the functions
// that know the type. The record's place is what names the type to another process.
namespace procession::detail {

/// Room for a small callable, or a pointer to a large one.
union FunctionState {
  void* large;
  alignas(std::max_align_t) std::byte small[4 * sizeof(void*)];
};

template <class F>
inline constexpr bool kIsSmall =
    sizeof(F) <= sizeof(FunctionState) && alignof(F) <= alignof(FunctionState) &&
    std::is_nothrow_move_constructible_v<F>;

template <class F>
F& state_as(FunctionState& state) {
  if constexpr (kIsSmall<F>) {
    return *std::launder(reinterpret_cast<F*>(state.small));
  } else {
    return *static_cast<F*>(state.large);
  }
}

/// Makes a state of what `make()` returns.
template <class F, class Make>
void make_state(FunctionState& state, Make&& make) {
  if constexpr (kIsSmall<F>) {
    ::new (static_cast<void*>(state.small)) F(make());
  } else {
    state.large = new F(make());
  }
}

/// What can be done with a state whose type only this record knows.
template <class R, class... Args>
struct FunctionRecord : CodeRecord {
  R (*call)(FunctionState& state, Args&&... args);
  void (*copy)(FunctionState& from, FunctionState& to);
  void (*move)(FunctionState& from, FunctionState& to) noexcept;  // leaves nothing in `from`
  void (*destroy)(FunctionState& state) noexcept;
  void (*encode)(Encoder& encoder, FunctionState& state);
  void (*decode)(Decoder& decoder, FunctionState& to);
  bool unchanged_by_calls;  ///< as far as the callable's type tells
};

template <class F, class R, class... Args>
struct FunctionOf {
  static R call(FunctionState& state, Args&&... args) {
    if constexpr (std::is_void_v<R>) {
      static_cast<void>(std::invoke(state_as<F>(state), std::forward<Args>(args)...));
    } else {
      return static_cast<R>(std::invoke(state_as<F>(state), std::forward<Args>(args)...));
    }
  }
  static void copy(FunctionState& from, FunctionState& to) {
    make_state<F>(to, [&]() -> const F& { return state_as<F>(from); });
  }
  static void move(FunctionState& from, FunctionState& to) noexcept {
    if constexpr (kIsSmall<F>) {
      make_state<F>(to, [&]() -> F&& { return std::move(state_as<F>(from)); });
      destroy(from);
    } else {
      to.large = from.large;
    }
  }
  static void destroy(FunctionState& state) noexcept {
    if constexpr (kIsSmall<F>) {
      std::destroy_at(&state_as<F>(state));
    } else {
      delete static_cast<F*>(state.large);
    }
  }
  static void encode(Encoder& encoder, FunctionState& state) {
    encode_stored(encoder, state_as<F>(state));
  }
  static void decode(Decoder& decoder, FunctionState& to) {
    make_state<F>(to, [&] { return decode_stored<F>(decoder); });
  }

  [[gnu::visibility("hidden")]] static const FunctionRecord<R, Args...> record;
};

template <class F, class R, class... Args>
constinit const FunctionRecord<R, Args...> FunctionOf<F, R, Args...>::record{
    {&FunctionOf::record, kCodeMagic, &typeid(FunctionRecord<R, Args...>)},
    &FunctionOf::call,
    &FunctionOf::copy,
    &FunctionOf::move,
    &FunctionOf::destroy,
    &FunctionOf::encode,
    &FunctionOf::decode,
    kNeverChanges<F>};

/// Writes the record, then the length of the state and the state.
void encode_function_state(Encoder& encoder, const CodeRecord* record,
                           void (*encode)(Encoder&, FunctionState&), FunctionState& state);

/// Reads the length of a state and the state. Throws `DecodeError` when they do not agree.
void decode_function_state(Decoder& decoder, void (*decode)(Decoder&, FunctionState&),
                           void (*destroy)(FunctionState&) noexcept, FunctionState& state);

[[noreturn]] void throw_empty_function();

}  // namespace procession::detail
