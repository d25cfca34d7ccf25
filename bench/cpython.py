"""CPython's side of each comparison: `cpython.py OPERATION`. Answers as contestant.hpp says."""

import multiprocessing
import resource
import sys
import time

ELEMENTS = 1_000_000


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


OPERATIONS = {
    "forkserver": lambda: start_and_join("forkserver"),
    "spawn": lambda: start_and_join("spawn"),
    "fork": lambda: start_and_join("fork"),
    "pool": lambda: pool_made_and_closed,
    "map": lambda: with_pool(map_numbers),
    "apply": lambda: with_pool(apply),
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
