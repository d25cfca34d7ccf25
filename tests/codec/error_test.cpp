// Each exception of error.hpp: its text, its fields, and that it arrives with both.
#include "procession/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "exception_support.hpp"

namespace {

using namespace exception_test;

template <class E>
void expect_family(const E& original, const std::string& type) {
  SCOPED_TRACE(type);
  static_assert(std::is_nothrow_copy_constructible_v<E>);
  static_assert(std::is_nothrow_copy_assignable_v<E>);
  expect_arrives<E>(std::make_exception_ptr(original), [&](const E& thrown, const auto* trace) {
    EXPECT_EQ(typeid(thrown), typeid(mp::detail::Received<E>));
    EXPECT_STREQ(thrown.what(), original.what());
    EXPECT_EQ(trace->type(), type);
    EXPECT_EQ(trace->task_index(), 7U);
    EXPECT_EQ(trace->pid(), 4321);
    const E copy = thrown;
    EXPECT_STREQ(copy.what(), original.what());
  });
}

template <class E>
void expect_plain(const std::string& type) {
  static_assert(std::is_base_of_v<mp::ProcessError, E>);
  expect_family(E("the text"), type);
}

TEST(Error, AllTypesArrive) {
  expect_plain<mp::ProcessError>("procession::ProcessError");
  expect_plain<mp::NotInitialized>("procession::NotInitialized");
  expect_plain<mp::TimeoutError>("procession::TimeoutError");
  expect_plain<mp::Empty>("procession::Empty");
  expect_plain<mp::Full>("procession::Full");
  expect_plain<mp::ShutDown>("procession::ShutDown");
  expect_plain<mp::EndOfFile>("procession::EndOfFile");
  expect_plain<mp::ConnectionLost>("procession::ConnectionLost");
  expect_plain<mp::KeyError>("procession::KeyError");
  expect_plain<mp::DecodeError>("procession::DecodeError");
  expect_plain<mp::AuthenticationError>("procession::AuthenticationError");
  expect_plain<mp::BrokenBarrier>("procession::BrokenBarrier");
  expect_plain<mp::Cancelled>("procession::Cancelled");
  expect_plain<mp::StopIteration>("procession::StopIteration");
}

TEST(Error, OutOfMemoryIsABadAllocWithAText) {
  static_assert(std::is_base_of_v<std::bad_alloc, mp::OutOfMemory>);
  expect_family(mp::OutOfMemory("asked for 12 bytes"), "procession::OutOfMemory");
}

TEST(Error, BufferTooShortCarriesTheMessage) {
  const std::vector<std::byte> message{std::byte{1}, std::byte{2}, std::byte{0}};
  const mp::BufferTooShort original(message, 2);
  EXPECT_STREQ(original.what(),
               "a message of 3 bytes was to be received into a buffer of 2; message() of this "
               "exception is the whole message");
  expect_family(original, "procession::BufferTooShort");
  expect_arrives<mp::BufferTooShort>(std::make_exception_ptr(original),
                                     [&](const auto& thrown, const auto*) {
                                       EXPECT_TRUE(std::ranges::equal(thrown.message(), message));
                                       EXPECT_EQ(thrown.room(), 2U);
                                     });
}

TEST(Error, TypeMismatchNamesBothTypes) {
  const mp::TypeMismatch original("int", "std::string");
  EXPECT_STREQ(original.what(),
               "asked for a value of type int, but what is there is of type std::string; ask for "
               "the type that was sent");
  expect_family(original, "procession::TypeMismatch");
  expect_arrives<mp::TypeMismatch>(std::make_exception_ptr(original),
                                   [](const auto& thrown, const auto*) {
                                     EXPECT_EQ(thrown.asked(), "int");
                                     EXPECT_EQ(thrown.found(), "std::string");
                                   });
}

TEST(Error, WorkerLostSaysWhoAndHowAndWhat) {
  const mp::WorkerLost original(99, -9, 12, "over its limit of 10 MiB");
  EXPECT_STREQ(original.what(),
               "worker process 99 was ended by signal 9 (SIGKILL) while it ran task 12 (over its "
               "limit of 10 MiB); the other tasks are not affected; in a map, MapOptions::retries "
               "runs such a task anew");
  expect_family(original, "procession::WorkerLost");
  expect_arrives<mp::WorkerLost>(std::make_exception_ptr(original),
                                 [](const auto& thrown, const auto* trace) {
                                   EXPECT_EQ(thrown.pid(), 99);
                                   EXPECT_EQ(thrown.exitcode(), -9);
                                   EXPECT_EQ(thrown.task_index(), 12U);
                                   EXPECT_EQ(trace->pid(), 4321);
                                 });
  EXPECT_STREQ(mp::WorkerLost(99, -9, 12, {}, {}, 3).what(),
               "worker process 99 was ended by signal 9 (SIGKILL) while it ran task 12; the other "
               "tasks are not affected; this one was run 3 times, as often as MapOptions::retries "
               "asked: find out what ends its worker");
  EXPECT_NE(std::string(mp::WorkerLost(1, 3, 0).what()).find("exited with status 3"),
            std::string::npos);
  EXPECT_NE(std::string(mp::WorkerLost(1, -40, 0).what()).find("by signal 40 while"),
            std::string::npos);
  EXPECT_NE(std::string(mp::WorkerLost(1, INT_MIN, 0).what()).find("signal 2147483648"),
            std::string::npos);
}

TEST(Error, RemoteErrorSaysWhatAndWhere) {
  static_assert(std::is_nothrow_copy_constructible_v<mp::RemoteError>);
  const mp::RemoteError error(mp::RemoteTrace("Odd", "too odd", {.task_index = 3, .pid = 55}));
  EXPECT_STREQ(error.what(),
               "Odd: too odd (thrown by task 3 in process 55); to catch it by its type, announce "
               "that with register_exception in the sender and in the receiver (one whose fields "
               "cannot be sent, such as handles, never arrives)");
  const mp::RemoteError number(mp::RemoteTrace("unsigned long", "", {}, {}));
  EXPECT_NE(std::string(number.what()).find("only types of classes"), std::string::npos)
      << number.what();
  EXPECT_EQ(mp::remote_trace(error), &error);
}

TEST(Error, RemoteErrorPassedOnStaysTheReportOfTheFirst) {
  const mp::RemoteError first(mp::RemoteTrace("Odd", "too odd", {.task_index = 3, .pid = 55}));
  expect_arrives<mp::RemoteError>(std::make_exception_ptr(first),
                                  [](const auto& thrown, const auto*) {
                                    EXPECT_EQ(thrown.type(), "Odd");
                                    EXPECT_EQ(thrown.text(), "too odd");
                                    EXPECT_EQ(thrown.task_index(), 7U);
                                    EXPECT_EQ(thrown.pid(), 4321);
                                    ASSERT_EQ(thrown.earlier().size(), 1U);
                                    EXPECT_EQ(thrown.earlier()[0].task_index, 3U);
                                    EXPECT_EQ(thrown.earlier()[0].pid, 55);
                                  });
}

TEST(Error, TraceOfATypeThatArrivesListsTheWay) {
  auto error = std::make_exception_ptr(std::out_of_range("far"));
  for (int pid = 1; pid <= 100; ++pid)
    error = sent(error, {.task_index = 0, .pid = pid});
  const mp::RemoteTrace* const trace = mp::remote_trace(error);
  ASSERT_NE(trace, nullptr);
  EXPECT_EQ(trace->type(), "std::out_of_range");
  EXPECT_EQ(trace->pid(), 100);
  ASSERT_EQ(trace->earlier().size(), 64U);
  EXPECT_EQ(trace->earlier()[0].pid, 1);
  EXPECT_EQ(trace->earlier()[63].pid, 99);
}

template <class E>
E as_value(const E& value) {
  static_assert(mp::Encodable<E>);
  mp::BufferEncoder out;
  mp::encode(out, value);
  mp::Decoder in(out.bytes());
  E result = mp::decode<E>(in);
  in.expect_end();
  EXPECT_STREQ(result.what(), value.what());
  return result;
}

struct MoreThanEmpty : mp::Empty {
  using mp::Empty::Empty;
  int more = 0;
};
static_assert(!mp::Encodable<MoreThanEmpty>, "it would lose what it adds");

TEST(Error, AllTypesAreValuesToo) {
  as_value(mp::ProcessError("1"));
  as_value(mp::NotInitialized("2"));
  as_value(mp::TimeoutError("3"));
  as_value(mp::Empty("4"));
  as_value(mp::Full("5"));
  as_value(mp::ShutDown("6"));
  as_value(mp::EndOfFile("7"));
  as_value(mp::ConnectionLost("7b"));
  as_value(mp::KeyError("8"));
  as_value(mp::DecodeError("9"));
  as_value(mp::AuthenticationError("10"));
  as_value(mp::BrokenBarrier("11"));
  as_value(mp::Cancelled("12"));
  as_value(mp::StopIteration("13"));
  as_value(mp::OutOfMemory("14"));
  EXPECT_EQ(as_value(mp::BufferTooShort(std::vector<std::byte>(3), 2)).message().size(), 3U);
  EXPECT_EQ(as_value(mp::TypeMismatch("a", "b")).found(), "b");
  EXPECT_EQ(as_value(mp::WorkerLost(4, 5, 6)).task_index(), 6U);
  const auto remote = as_value(
      mp::RemoteError(mp::RemoteTrace("Odd", "odd", {.task_index = 1, .pid = 2}, {{3, 4}})));
  EXPECT_EQ(remote.type(), "Odd");
  EXPECT_EQ(remote.pid(), 2);
  ASSERT_EQ(remote.earlier().size(), 1U);
  EXPECT_EQ(remote.earlier()[0].pid, 4);
}

TEST(Error, EmptyValuesCanBeSent) {
  as_value(mp::Empty());
  as_value(mp::OutOfMemory());
  as_value(mp::BufferTooShort());
  as_value(mp::TypeMismatch());
  as_value(mp::WorkerLost());
  EXPECT_EQ(as_value(mp::RemoteError()).pid(), 0);
}

TEST(Error, ValueOfAnotherTypeIsADecodeError) {
  mp::BufferEncoder out;
  mp::encode(out, mp::Empty("none"));
  mp::Decoder in(out.bytes());
  EXPECT_THROW(mp::decode<mp::Full>(in), mp::DecodeError);
}

}  // namespace
