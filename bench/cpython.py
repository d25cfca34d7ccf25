"""CPython's side of each comparison: `cpython.py OPERATION`. Answers as contestant.hpp says."""

import concurrent.futures
import functools
import multiprocessing
import multiprocessing.connection
import resource
import sys
import time

ELEMENTS = 1_000_000
PAIRS = 4


def nothing():
    pass


def square(x):
    return x * x


def start_and_join(method):
    context = multiprocessing.get_context(method)

    def run(times):
        for _ in range(times):
            process = context.Process(target=nothing)
            process.start()
            process.join()
            assert process.exitcode == 0

    return run


def pool_made_and_closed(times):
    context = multiprocessing.get_context("fork")
    for _ in range(times):
        pool = context.Pool(2)
        pool.close()
        pool.join()


def with_pool(operation):
    pool = multiprocessing.get_context("fork").Pool(2)
    numbers = list(range(ELEMENTS))

    def run(times):
        for _ in range(times):
            operation(pool, numbers)

    return run


def map_numbers(pool, numbers):
    assert len(pool.map(square, numbers)) == ELEMENTS


def apply(pool, _):
    assert pool.apply(square, (3,)) == 9


def with_pool_and_times(operation):
    pool = multiprocessing.get_context("fork").Pool(2)
    return lambda times: operation(pool, times)


def map_each(pool, times):
    assert len(pool.map(square, range(times), chunksize=1)) == times


def imap_each(pool, times):
    assert sum(1 for _ in pool.imap_unordered(square, range(times), chunksize=1)) == times


def imap_first():
    """The first result for a range that takes 1 ms for each element. In turns with two pools: each
    takes an element behind the first before it hears that no more are wanted."""
    pools = [FORK.Pool(2), FORK.Pool(2)]

    def slow(enough):
        for x in range(64):
            if enough:
                return
            time.sleep(0.001)
            yield x

    def run(times):
        for i in range(times):
            enough = []
            assert next(pools[i % 2].imap(square, slow(enough))) == 0
            enough.append(True)

    return run


def apply_async(pool, times):
    results = [pool.apply_async(square, (3,)) for _ in range(times)]
    assert all(result.get() == 9 for result in results)


def element(numbers, index):
    return numbers[index]


def bound(size):
    pool = FORK.Pool(2)
    call = functools.partial(element, bytes(size))

    def run(times):
        for _ in range(times):
            assert len(pool.map(call, range(200))) == 200

    return run


def submit():
    executor = concurrent.futures.ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context("fork"))

    def run(times):
        for _ in range(times):
            assert executor.submit(square, 3).result() == 9

    return run


FORK = multiprocessing.get_context("fork")


def helper(target, *args):
    FORK.Process(target=target, args=args, daemon=True).start()


def produce(items, orders, make):
    item = make()
    while True:
        for _ in range(orders.get()):
            items.put(item)


def consume(items, orders, done):
    while True:
        for _ in range(orders.get()):
            items.get()
        done.put(None)


def one_to_one(maxsize, make):
    items, orders = FORK.Queue(maxsize), FORK.SimpleQueue()
    helper(produce, items, orders, make)

    def run(times):
        orders.put(times)
        for _ in range(times):
            items.get()

    return run


def answer_items(questions, answers):
    while True:
        answers.put(questions.get())


def queue_there_and_back():
    questions, answers = FORK.SimpleQueue(), FORK.SimpleQueue()
    helper(answer_items, questions, answers)

    def run(times):
        for i in range(times):
            questions.put(i)
            assert answers.get() == i

    return run


def four_to_four():
    items, puts, gets, done = FORK.Queue(), FORK.SimpleQueue(), FORK.SimpleQueue(), FORK.SimpleQueue()
    for _ in range(PAIRS):
        helper(produce, items, puts, small)
        helper(consume, items, gets, done)

    def run(times):
        each = (times + PAIRS - 1) // PAIRS
        for _ in range(PAIRS):
            gets.put(each)
            puts.put(each)
        for _ in range(PAIRS):
            done.get()

    return run


def small():
    return 12345678


def mebibytes(count):
    return lambda: b"1" * (count << 20)


def answer(connection):
    while True:
        connection.send(connection.recv())


def there_and_back():
    end, other = FORK.Pipe()
    helper(answer, other)

    def run(times):
        for i in range(times):
            end.send(i)
            assert end.recv() == i

    return run


def send_large(connection, make):
    message = make()
    while True:
        for _ in range(connection.recv()):
            connection.send_bytes(message)


def one_way(make):
    end, other = FORK.Pipe()
    helper(send_large, other, make)

    def run(times):
        end.send(times)
        for _ in range(times):
            end.recv_bytes()

    return run


def connected(serve, *args):
    """One end of a connection over TCP, whose other end another process serves."""
    with multiprocessing.connection.Listener(("127.0.0.1", 0)) as listener:
        helper(serve_client, listener.address, serve, *args)
        return listener.accept()


def serve_client(address, serve, *args):
    serve(multiprocessing.connection.Client(address), *args)


def answer_bytes(connection):
    while True:
        connection.send_bytes(connection.recv_bytes())


def tcp_there_and_back():
    end = connected(answer_bytes)

    def run(times):
        item = bytes(8)
        for _ in range(times):
            end.send_bytes(item)
            assert end.recv_bytes() == item

    return run


def tcp_one_way(make):
    end = connected(send_large, make)

    def run(times):
        end.send(times)
        for _ in range(times):
            end.recv_bytes()

    return run


def manager_get():
    served = FORK.Manager().dict({"key": 7})

    def run(times):
        for _ in range(times):
            assert served["key"] == 7

    return run


def manager_proxy():
    manager = FORK.Manager()

    def run(times):
        for _ in range(times):
            manager.list()

    return run


OPERATIONS = {
    "forkserver": lambda: start_and_join("forkserver"),
    "spawn": lambda: start_and_join("spawn"),
    "fork": lambda: start_and_join("fork"),
    "pool": lambda: pool_made_and_closed,
    "map": lambda: with_pool(map_numbers),
    "map-each": lambda: with_pool_and_times(map_each),
    "imap-each": lambda: with_pool_and_times(imap_each),
    "imap-first": imap_first,
    "apply": lambda: with_pool(apply),
    "apply_async": lambda: with_pool_and_times(apply_async),
    "submit": submit,
    "bound-10K": lambda: bound(10_000),
    "bound-1M": lambda: bound(1_000_000),
    "bound-100M": lambda: bound(100_000_000),
    "queue": lambda: one_to_one(0, small),
    "queue-back": queue_there_and_back,
    "queue-crowd": four_to_four,
    "queue-1M": lambda: one_to_one(1, mebibytes(1)),
    "queue-16M": lambda: one_to_one(1, mebibytes(16)),
    "tcp": tcp_there_and_back,
    "tcp-1M": lambda: tcp_one_way(mebibytes(1)),
    "pipe": there_and_back,
    "manager-get": manager_get,
    "manager-proxy": manager_proxy,
    "pipe-1M": lambda: one_way(mebibytes(1)),
    "pipe-16M": lambda: one_way(mebibytes(16)),
}


def used(who):
    usage = resource.getrusage(who)
    return int((usage.ru_utime + usage.ru_stime) * 1e9), usage.ru_minflt


def measure(operation, times):
    own, children = used(resource.RUSAGE_SELF), used(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter_ns()
    operation(times)
    passed = time.perf_counter_ns() - begin
    own_then, children_then = used(resource.RUSAGE_SELF), used(resource.RUSAGE_CHILDREN)
    print(passed, own_then[0] - own[0], children_then[0] - children[0], own_then[1] - own[1],
          children_then[1] - children[1], flush=True)


def main():
    operation = OPERATIONS[sys.argv[1]]()
    for line in sys.stdin:
        measure(operation, int(line))


if __name__ == "__main__":
    main()
