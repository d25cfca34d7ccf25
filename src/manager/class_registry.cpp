#include "manager/class_registry.hpp"

#include <algorithm>
#include <stdexcept>

#include "manager/caller.hpp"
#include "procession/error.hpp"

namespace procession::manager {

using detail::Given;
using detail::RegisteredFunction;
using detail::RegisteredMethod;
using detail::RegisteredType;
using detail::ServedPtr;

namespace {

SentMark read_mark(Decoder& in) {
  SentMark mark;
  decode(in, mark.fingerprint);
  decode(in, mark.name);
  return mark;
}

[[noreturn]] void refuse_arguments(const std::string& what, const std::string& ours,
                                   const SentMark& sent) {
  throw TypeMismatch(ours, sent.name,
                     what + " takes " + ours + ", and was called with " + sent.name +
                         "; another program converts nothing: give it these very types");
}
void check_arguments(const std::string& what, detail::TypeMark ours, const SentMark& sent) {
  if (ours.fingerprint != sent.fingerprint) refuse_arguments(what, std::string(ours.name), sent);
}

void check_result(const std::string& what, detail::TypeMark ours, const SentMark& sent) {
  if (ours.fingerprint == sent.fingerprint) return;
  const std::string name(ours.name);
  throw TypeMismatch(sent.name, name,
                     what + " gives " + name + ", and " + sent.name +
                         " was asked for; name that type, as in call<" + name + ">(...)");
}

/// The class of the proxy of one of the library's own objects, which is what users know of it;
/// other names as they are.
std::string as_users_know(std::string type) {
  constexpr std::string_view kPrefix = "Served";
  const std::size_t begin = type.find(kPrefix);
  if (begin == std::string::npos) return type;
  const std::size_t end = std::min(type.find('<', begin), type.size());
  type.insert(end, "Proxy");
  return type.erase(begin, kPrefix.size());
}

}  // namespace

void Registry::add(RegisteredType type) {
  const std::string name = type.name;
  if (functions_.contains(name) || !types_.emplace(name, std::move(type)).second) {
    throw std::invalid_argument("asked to register \"" + name +
                                "\" with a ManagerServer a second time; a name stands for one type "
                                "or function");
  }
}

void Registry::add(RegisteredFunction function) {
  const std::string name = function.name;
  if (types_.contains(name) || !functions_.emplace(name, std::move(function)).second) {
    throw std::invalid_argument("asked to register \"" + name +
                                "\" with a ManagerServer a second time; a name stands for one type "
                                "or function");
  }
}

const RegisteredFunction* Registry::function(const std::string& name) const {
  const auto found = functions_.find(name);
  return found != functions_.end() ? &found->second : nullptr;
}

const RegisteredType* Registry::type(const std::string& name) const {
  if (const auto found = types_.find(name); found != types_.end()) return &found->second;
  const auto own = std::find_if(types_.begin(), types_.end(),
                                [&](const auto& one) { return one.second.type == name; });
  return own != types_.end() ? &own->second : nullptr;
}

const RegisteredType* Registry::type(std::uint64_t fingerprint) const {
  const auto found = std::find_if(types_.begin(), types_.end(), [&](const auto& one) {
    return one.second.fingerprint == fingerprint;
  });
  return found != types_.end() ? &found->second : nullptr;
}

std::string Registry::names() const {
  std::string all;
  for (const auto& one : functions_)
    all += (all.empty() ? "" : ", ") + one.first;
  for (const auto& one : types_)
    all += (all.empty() ? "" : ", ") + one.first;
  return all;
}

ServedPtr Shares::served(const Given& given) {
  if (given.object == nullptr) {
    throw ProcessError("a registered function was asked for an object and gave none");
  }
  const std::lock_guard guard(mutex_);
  std::erase_if(shares_, [](const auto& one) { return one.second.expired(); });
  auto& share = shares_[{given.object.get(), given.fingerprint}];
  ServedPtr served = share.lock();
  if (served == nullptr) {
    served = given.wrap(given.object);
    share = served;
  }
  return served;
}

void RemoteSession::answer(Decoder& request, Encoder& reply) {
  const auto what = decode<RemoteRequest>(request);
  drop(decode<std::vector<std::uint64_t>>(request));
  switch (what) {
    case RemoteRequest::call:
      return call(request, reply);
    case RemoteRequest::value:
      return give_value(request, reply);
    case RemoteRequest::object:
      return give_object(request, reply);
    case RemoteRequest::count: {
      const std::lock_guard guard(mutex_);
      return encode(reply, std::uint64_t{objects_.size()});
    }
    case RemoteRequest::enter:
      break;
  }
  throw DecodeError(
      "found a request to a manager that is none, or comes out of turn; the client "
      "is of another version of the library, or the bytes are damaged");
}

void RemoteSession::drop(const std::vector<std::uint64_t>& gone) {
  std::vector<ServedPtr> dropped;  // destroyed without the lock
  const std::lock_guard guard(mutex_);
  for (const std::uint64_t reference : gone) {
    const auto found = references_.find(reference);
    if (found == references_.end()) {
      if (unknown_.size() < kMostGivenBack) unknown_.insert(reference);
      continue;
    }
    const auto object = objects_.find(found->second.object.get());
    if (--object->second.references == 0) objects_.erase(object);
    dropped.push_back(std::move(found->second.object));
    references_.erase(found);
  }
}

RemoteSession::Entry RemoteSession::find(std::uint64_t reference) {
  const std::lock_guard guard(mutex_);
  const auto found = references_.find(reference);
  if (found == references_.end()) {
    throw ProcessError(
        "asked to call an object that this server does not have, or has not given to this client; "
        "it was lost when the server was started anew, or the connection was: get a new proxy");
  }
  return found->second;
}

void RemoteSession::call(Decoder& request, Encoder& reply) {
  const Entry entry = find(decode<std::uint64_t>(request));
  const auto name = decode<std::string>(request);
  const SentMark arguments = read_mark(request);
  const SentMark result = read_mark(request);
  const std::string what = "the method \"" + name + "\" of " + entry.type->name;
  std::string known;  // of several methods of that name, the arguments tell
  for (const RegisteredMethod& method : entry.type->methods) {
    if (method.name != name) continue;
    if (method.arguments.fingerprint == arguments.fingerprint) {
      check_result(what, method.result, result);
      return method.call(*entry.object, request, reply);
    }
    known += (known.empty() ? "" : " or ") + std::string(method.arguments.name);
  }
  if (!known.empty()) refuse_arguments(what, known, arguments);
  throw ProcessError("asked to call " + what +
                     ", which has no method registered under that name; register it with "
                     "method<...>(\"" +
                     name + "\") in the server's program");
}

void RemoteSession::give_value(Decoder& request, Encoder& reply) {
  const auto name = decode<std::string>(request);
  const SentMark arguments = read_mark(request);
  const SentMark result = read_mark(request);
  const RegisteredFunction* const function = registry_.function(name);
  if (function == nullptr) {
    throw ProcessError("asked for the value of \"" + name +
                       "\", and the server has no function registered under that name; it has: " +
                       registry_.names());
  }
  const std::string what = "the function \"" + name + "\"";
  check_arguments(what, function->arguments, arguments);
  if (function->result.fingerprint == 0 && result.fingerprint != 0) {
    throw TypeMismatch(result.name, "an object, or nothing",
                       what + " gives no value of type " + result.name +
                           ", but an object or nothing; ask for the proxy of that, as in "
                           "get<Proxy<T>>(\"" +
                           name + "\")");
  }
  check_result(what, function->result, result);
  function->call(request, reply);
}

void RemoteSession::give_object(Decoder& request, Encoder& reply) {
  const auto reference = decode<std::uint64_t>(request);
  const auto name = decode<std::string>(request);
  const SentMark arguments = read_mark(request);
  const SentMark wanted = read_mark(request);
  if (const RegisteredFunction* const function = registry_.function(name)) {
    const std::string what = "the function \"" + name + "\"";
    check_arguments(what, function->arguments, arguments);
    if (function->result.fingerprint != 0) {
      const std::string value(function->result.name);
      throw TypeMismatch(wanted.name, value,
                         what + " gives " + value +
                             ", a value, and an object was asked for; use get<" + value + ">(\"" +
                             name + "\")");
    }
    BufferEncoder nothing;
    return keep(reference, shares_.served(function->call(request, nothing)), wanted, reply);
  }
  const RegisteredType* const type = registry_.type(name);
  if (type == nullptr) {
    const std::string known = as_users_know(name);
    throw ProcessError(
        "asked for \"" + known + "\", and the server has " +
        (known == name
             ? std::string("neither a function nor a type registered under that name")
             : "not registered the type; call register_type<" + known + ">(...) in its program") +
        "; it has: " + registry_.names());
  }
  std::string known;
  for (const auto& maker : type->makers) {
    if (maker.arguments.fingerprint == arguments.fingerprint) {
      return keep(reference, maker.call(request), wanted, reply);
    }
    known += (known.empty() ? "" : " or ") + std::string(maker.arguments.name);
  }
  refuse_arguments("the constructor of \"" + as_users_know(name) + "\"",
                   known.empty() ? "nothing, since none is registered," : known, arguments);
}

void RemoteSession::keep(std::uint64_t reference, const ServedPtr& object, const SentMark& wanted,
                         Encoder& reply) {
  const RegisteredType* const type = registry_.type(object->fingerprint());
  if (type == nullptr) {
    throw ProcessError("asked for an object of " + std::string(object->type()) +
                       ", a type that the server gives out and has not registered; call "
                       "register_type() for it in the server's program");
  }
  if (wanted.fingerprint != 0 && wanted.fingerprint != type->fingerprint) {
    const std::string asked = as_users_know(wanted.name);
    const std::string found = as_users_know(std::string(type->type));
    throw TypeMismatch(asked, found,
                       "asked for a proxy of " + asked + ", and what the server has is " + found);
  }
  const std::lock_guard guard(mutex_);
  if (unknown_.erase(reference) != 0) throw CallerGone();
  if (references_.contains(reference)) {
    throw DecodeError(
        "asked for an object by a reference that the client has already; the bytes of the request "
        "are damaged");
  }
  const auto known = objects_.try_emplace(object.get(), Known{reference, 0}).first;
  try {
    encode(reply, known->second.first);
    references_.emplace(reference, Entry{object, type});
    ++known->second.references;
  } catch (...) {
    if (known->second.references == 0) objects_.erase(known);
    throw;
  }
}

}  // namespace procession::manager
