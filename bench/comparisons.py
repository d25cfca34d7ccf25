"""What is compared with what, and what is demanded. A new row is a new entry here and an operation
in ours.cpp and in its competitor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`at_least`: ours must be so many times faster. `within`: ours may take so many times as
    long."""

    work: str
    ours: str
    other: str
    at_least: float = 0
    within: float = 0


@dataclass(frozen=True)
class Group:
    """Contestants that are measured in turns, so that all of them see the same machine.

    contestants: name -> command; {ours}, {ours_served}, {bare}, {cpython}, {boost}, {zeromq},
    {tbb} and {asio} stand for the programs, {one_cpu} for what keeps one on one processor. Rows of
    contestants whose program was not built, because its library is not there, are left out.
    busy: all are measured beside a busy loop on one processor."""

    name: str
    contestants: dict
    rows: tuple
    busy: bool = False


GROUPS = (
    Group(
        "forkserver",
        {
            "ours": "{ours} forkserver",
            "CPython forkserver": "{cpython} forkserver",
            "ours, 1 GiB heap": "{ours} forkserver 1024",
            "bare fork": "{bare} fork",
        },
        (
            Row("forkserver start + join", "ours", "CPython forkserver", at_least=20),
            Row("forkserver start + join", "ours", "bare fork", within=2),
            Row("the same, 1 GiB live heap", "ours, 1 GiB heap", "ours", within=1.5),
        ),
    ),
    Group(
        "spawn",
        {
            "ours": "{ours} spawn",
            "CPython spawn": "{cpython} spawn",
            "posix_spawn": "{bare} spawn {ours}",
        },
        (
            Row("spawn start + join", "ours", "CPython spawn", at_least=15),
            Row("spawn start + join", "ours", "posix_spawn", within=1.5),
        ),
    ),
    Group(
        "pool",
        {"ours": "{ours} pool", "CPython fork": "{cpython} pool"},
        (Row("Pool(2) made and closed", "ours", "CPython fork", at_least=10),),
    ),
    Group(
        "map",
        {"ours": "{ours} map", "CPython": "{cpython} map"},
        (Row("map over a million ints", "ours", "CPython", at_least=40),),
    ),
    *(
        Group(
            operation,
            {"ours": f"{{ours}} {operation}", "CPython": f"{{cpython}} {operation}"},
            (Row(f"{call}, chunksize 1", "ours", "CPython", at_least=100),),
        )
        for operation, call in (("map-each", "map"), ("imap-each", "imap_unordered"))
    ),
    Group(
        "imap-first",
        {"ours": "{ours} imap-first", "CPython": "{cpython} imap-first"},
        (Row("first of imap, 1 ms an element", "ours", "CPython", within=1),),
    ),
    Group(
        "apply",
        {"ours": "{ours} apply", "CPython": "{cpython} apply", "std::async": "{bare} async"},
        (
            Row("apply there and back", "ours", "CPython", at_least=100),
            Row("apply there and back", "ours", "std::async", at_least=10),
        ),
    ),
    Group(
        "apply_async",
        {
            "ours": "{ours} apply_async",
            "CPython": "{cpython} apply_async",
            "oneTBB task_arena": "{tbb} apply_async",
            "Asio thread_pool": "{asio} apply_async",
        },
        (
            Row("apply_async of all, then get", "ours", "CPython", at_least=80),
            Row("apply_async of all, then get", "ours", "oneTBB task_arena", at_least=1.5),
            Row("apply_async of all, then get", "ours", "Asio thread_pool", at_least=1.5),
        ),
    ),
    Group(
        "submit",
        {"ours": "{ours} submit", "CPython": "{cpython} submit"},
        (Row("submit there and back", "ours", "CPython", at_least=150),),
    ),
    *(
        # Whoever waits awake for one who does not run only keeps it from running.
        Group(
            f"{operation}-{name}",
            {"ours": f"{prefix}{{ours}} {operation}", "CPython": f"{prefix}{{cpython}} {operation}"},
            (Row(f"{work}, {where}", "ours", "CPython", within=1),),
            busy=name == "busy",
        )
        for operation, work in (("apply", "apply there and back"),
                                ("queue-back", "Queue there and back"),
                                ("pipe", "Pipe there and back"))
        for name, where, prefix in (("busy", "one processor busy", ""),
                                    ("pinned", "both on one processor", "{one_cpu} "))
    ),
    Group(
        "queue-back",
        {"ours": "{ours} queue-back", "CPython": "{cpython} queue-back"},
        (Row("Queue there and back, both awake", "ours", "CPython", at_least=5),),
    ),
    *(
        Group(
            f"bound-{size}",
            {
                "ours": f"{{ours}} bound-{size}",
                "the best chunk size": f"{{ours}} bound-{size}-best",
                "CPython": f"{{cpython}} bound-{size}",
            },
            (
                Row(f"map of 200, {size}B bound", "ours", "the best chunk size", within=1.5),
                Row(f"map of 200, {size}B bound", "ours", "CPython", at_least=2),
            ),
        )
        for size in ("10K", "1M", "100M")
    ),
    Group(
        # 97 % of the processors' time is in tasks.
        "map-10ms",
        {"ours": "{ours} map-10ms", "two bare processes": "{bare} tasks-10ms"},
        (Row("map of 10 ms tasks", "ours", "two bare processes", within=1 / 0.97),),
    ),
    Group(
        "recovery",
        {"ours": "{ours} recovery", "a start": "{ours} forkserver"},
        (Row("a lost worker's successor", "ours", "a start", within=3),),
    ),
    Group(
        "queue",
        {
            "ours": "{ours} queue",
            "ours, 64 at a time": "{ours} queue-many",
            "CPython": "{cpython} queue",
            "Boost message_queue": "{boost} queue",
            "ZeroMQ ipc://": "{zeromq} queue",
        },
        (
            Row("Queue of 8 bytes, one to one", "ours", "CPython", at_least=80),
            Row("Queue of 8 bytes, one to one", "ours", "Boost message_queue", at_least=2),
            Row("Queue of 8 bytes, one to one", "ours", "ZeroMQ ipc://", at_least=2),
            Row("the same, 64 at a time", "ours, 64 at a time", "ours", at_least=5),
        ),
    ),
    Group(
        "queue-crowd",
        {"ours": "{ours} queue-crowd", "CPython": "{cpython} queue-crowd"},
        (Row("Queue, four to four", "ours", "CPython", at_least=20),),
    ),
    *(
        Group(
            f"{kind}-{size}M",
            {
                "ours": f"{{ours}} {kind}-{size}M",
                "CPython": f"{{cpython}} {kind}-{size}M",
                "memcpy": f"{{bare}} memcpy-{size}M",
            },
            (
                Row(f"{kind.capitalize()}, {size} MiB", "ours", "CPython", at_least=8),
                Row(f"{kind.capitalize()}, {size} MiB", "ours", "memcpy", within=2),
            ),
        )
        for kind in ("queue", "pipe")
        for size in (1, 16)
    ),
    Group(
        "pipe",
        {"ours": "{ours} pipe", "CPython": "{cpython} pipe"},
        (Row("Pipe there and back, both awake", "ours", "CPython", at_least=50),),
    ),
    Group(
        # On one processor whoever is sent something sleeps, or could not be sent it.
        "pipe-asleep",
        {"ours": "{one_cpu} {ours} pipe", "socketpair": "{one_cpu} {bare} socketpair"},
        (Row("Pipe there and back, both asleep", "ours", "socketpair", within=1),),
    ),
    *(
        Group(
            operation,
            {
                "ours": f"{{ours_served}} {operation}",
                "bare socket": f"{{bare}} {operation}",
                "CPython": f"{{cpython}} {operation}",
            },
            (
                Row(f"Client and Listener over TCP, {what}", "ours", "bare socket", within=1.2),
                Row(f"Client and Listener over TCP, {what}", "ours", "CPython", at_least=2),
            ),
        )
        for operation, what in (("tcp", "8 bytes there and back"), ("tcp-1M", "1 MiB"))
    ),
    Group(
        "manager-get",
        {"ours": "{ours_served} manager-get", "CPython": "{cpython} manager-get"},
        (Row("dict of a manager, get", "ours", "CPython", at_least=10),),
    ),
    Group(
        "manager-proxy",
        {"ours": "{ours_served} manager-proxy", "CPython": "{cpython} manager-proxy"},
        (Row("object of a manager, made and dropped", "ours", "CPython", at_least=20),),
    ),
    Group(
        "manager-crowd",
        {"64 clients": "{ours_served} manager-64", "2 clients": "{ours_served} manager-2"},
        (Row("calls of 64 clients at once", "64 clients", "2 clients", within=1),),
    ),
    Group(
        "lock",
        {"ours": "{ours} lock", "bare robust mutex": "{bare} lock"},
        (Row("Lock, uncontended", "ours", "bare robust mutex", within=1.5),),
    ),
    Group(
        "lock-contended",
        {"ours": "{ours} lock-contended", "bare robust mutex": "{bare} lock-contended"},
        (Row("Lock, between two processes", "ours", "bare robust mutex", within=1.5),),
    ),
    Group(
        "array",
        {"1 GiB": "{ours} array-1G", "1 KiB": "{ours} array-1K"},
        (Row("Array of 1 GiB to a process", "1 GiB", "1 KiB", within=1.2),),
    ),
)
