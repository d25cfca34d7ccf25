// 8: a producer and a consumer on a Queue, ended by an empty optional; and once more, ended by
// shutdown().

#include <iostream>
#include <optional>
#include <procession/procession.hpp>
#include <string>

namespace mp = procession;

using Maybe = std::optional<std::string>;

void produce(const mp::Queue<Maybe>& queue) {
  for (const char* item : {"A", "B", "C", "D"})
    queue.put(item);
  queue.put(std::nullopt);
}

void consume(const mp::Queue<Maybe>& queue) {
  while (Maybe item = queue.get())
    std::cout << "consumed " << *item << '\n';
}

void produce_and_shut_down(const mp::Queue<std::string>& queue) {
  for (const char* item : {"A", "B", "C", "D"})
    queue.put(item);
  queue.shutdown();
}

void consume_all(const mp::Queue<std::string>& queue) {
  for (const std::string& item : queue)
    std::cout << "consumed " << item << '\n';
}

template <class Queue, class Produce, class Consume>
void run(Produce produce, Consume consume) {
  Queue queue;
  mp::Process producer(produce, queue);
  mp::Process consumer(consume, queue);
  producer.start();
  consumer.start();
  producer.join();
  consumer.join();
}

int main() {
  mp::init();
  run<mp::Queue<Maybe>>(produce, consume);
  run<mp::Queue<std::string>>(produce_and_shut_down, consume_all);
}
