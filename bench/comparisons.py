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

    contestants: name -> command; {ours}, {bare} and {cpython} stand for the programs."""

    name: str
    contestants: dict
    rows: tuple


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
        (Row("map over a million ints", "ours", "CPython", at_least=20),),
    ),
    Group(
        "apply",
        {"ours": "{ours} apply", "CPython": "{cpython} apply"},
        (Row("apply there and back", "ours", "CPython", at_least=100),),
    ),
)
