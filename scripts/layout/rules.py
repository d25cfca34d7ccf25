"""The rules of the house: docs/design.md says why, these tables say what."""

import re
from pathlib import Path

from layout.declarations import undocumented

# Lower floors first. A file may include its own floor and those below; floors of one line are
# neighbours that do not know each other.
FLOORS = [
    ["platform"],
    ["log", "codec"],
    ["heap"],
    ["sync"],
    ["channel"],
    ["process"],
    ["shared", "pool", "manager"],
]

# Every public header belongs to a floor. "vocabulary" may be included by all of them.
PUBLIC_HEADERS = {
    "version.hpp": "vocabulary",
    "timeout.hpp": "vocabulary",
    "address.hpp": "vocabulary",
    "error.hpp": "vocabulary",
    "exception.hpp": "vocabulary",
    "codec.hpp": "vocabulary",
    "callable.hpp": "vocabulary",
    "log.hpp": "log",
    "progress.hpp": "log",
    "trace.hpp": "log",
    "shared_memory.hpp": "shared",
    "shareable_list.hpp": "shared",
    "shared.hpp": "shared",
    "sync.hpp": "sync",
    "lock.hpp": "sync",
    "semaphore.hpp": "sync",
    "event.hpp": "sync",
    "condition.hpp": "sync",
    "barrier.hpp": "sync",
    "value.hpp": "sync",
    "array.hpp": "sync",
    "queue.hpp": "channel",
    "connection.hpp": "channel",
    "init.hpp": "process",
    "context.hpp": "process",
    "process.hpp": "process",
    "threading.hpp": "process",
    "async_result.hpp": "pool",
    "result_range.hpp": "pool",
    "pool.hpp": "pool",
    "future.hpp": "pool",
    "completion.hpp": "pool",
    "executor.hpp": "pool",
    "manager.hpp": "manager",
    "proxy.hpp": "manager",
    "manager_server.hpp": "manager",
    "manager_dict.hpp": "manager",
    "manager_list.hpp": "manager",
    "manager_value.hpp": "manager",
    "manager_queue.hpp": "manager",
    "manager_sync.hpp": "manager",
    "procession.hpp": "all",
}

# System calls live in src/platform alone; elsewhere only these may stand in angle brackets.
STANDARD_HEADERS = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine
    csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque
    exception execution filesystem format forward_list fstream functional future initializer_list
    iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource
    mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf
    string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo
    unordered_map unordered_set utility valarray variant vector version""".split()
)
COMPILER_HEADERS = {"cxxabi.h"}  # part of every C++ runtime; not for public headers

# What needs libcrypto, and the parts of src/channel that may include it: a static link takes files
# whole, and a child that loads libcrypto takes a hundred page faults more.
CRYPTOGRAPHY = {"platform/digest.hpp", "channel/authentication.hpp", "channel/handshake.hpp"}
NETWORK = {"authentication", "handshake", "listener", "client"}

LONG_FILE, TOO_LONG_FILE = 300, 460
SOURCE_ENDINGS = {".cpp", ".hpp", ".py", ".sh", ".cmake", ".txt", ""}
# Written in halves: this file is checked as well.
WORKPLACES = re.compile(r"(?<![\w.])/(?:ro" + r"ot|wo" + r"rk|ho" + r"me)/")

RANK = {floor: rank for rank, row in enumerate(FLOORS) for floor in row}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


class Finding:
    def __init__(self, rule, path, line, text, fatal=True):
        self.rule, self.path, self.line, self.text, self.fatal = rule, path, line, text, fatal

    def __str__(self):
        level = "error" if self.fatal else "warning"
        return f"{self.path}:{self.line}: {level}: {self.text} [{self.rule}]"


def includes(text):
    """(line, is it in angle brackets, name) of each include."""
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match.group(1) == "<", match.group(2)


def floor_of(path):
    parts = Path(path).parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "procession") and len(parts) == 3:
        return PUBLIC_HEADERS.get(parts[2])
    return None


def may_include(floor, target):
    if target in (floor, "vocabulary") or floor == "all":
        return True
    if floor == "vocabulary":
        return False
    return target in RANK and RANK[target] < RANK[floor]


def check_floors(path, text):
    parts = Path(path).parts
    is_source, is_public = parts[0] == "src", parts[0] == "include"
    if not is_source and not is_public:
        return
    floor = floor_of(path)
    if is_source and floor not in RANK:
        yield Finding("floor", path, 1, f"src/{floor} is no floor known to FLOORS in layout/rules.py")
        return
    in_detail = is_public and "detail" in parts
    if is_public and not in_detail and floor is None:
        yield Finding("floor", path, 1, "add this public header to PUBLIC_HEADERS in layout/rules.py")
        return
    for line, _, name in includes(text):
        target = Path(name).parts
        if target[0] == "procession":
            if "detail" in target:
                continue
            other = PUBLIC_HEADERS.get(target[-1])
            if other is None:
                yield Finding("floor", path, line, f"unknown public header {name}")
            elif not in_detail and not may_include(floor, other):
                yield Finding("floor", path, line, f"{floor} includes {name}, which belongs to {other}")
        elif target[0] in RANK and len(target) > 1:
            if is_public:
                yield Finding("floor", path, line, f"a public header includes {name}, which is not installed")
            elif not may_include(floor, target[0]):
                yield Finding("floor", path, line, f"{floor} includes {name}: not a lower floor")


def check_system_headers(path, text):
    parts = Path(path).parts
    is_public = parts[0] == "include"
    if not is_public and (parts[0] != "src" or parts[1] == "platform"):
        return
    for line, angled, name in includes(text):
        if name in STANDARD_HEADERS or name.startswith("procession/"):
            continue
        if is_public:
            if angled or Path(name).parts[0] not in RANK:
                yield Finding("public-include", path, line, f"<{name}> in a public header")
        elif angled and name not in COMPILER_HEADERS:
            yield Finding("system-include", path, line, f"<{name}> above src/platform")


def check_cryptography(path, text):
    source = Path(path)
    if source.parts[0] != "src" or source.parts[1] == "platform" or source.stem in NETWORK:
        return
    for line, _, name in includes(text):
        if name in CRYPTOGRAPHY:
            yield Finding("cryptography", path, line,
                          f"{name}: programs without sockets would load libcrypto")


def check_comments(path, text):
    parts = Path(path).parts
    if parts[:2] != ("include", "procession") or "detail" in parts:
        return
    for line, name in undocumented(text):
        yield Finding("comment", path, line, f"{name} has no /// comment")


def check_length(path, text):
    if Path(path).suffix not in SOURCE_ENDINGS or Path(path).name == "LICENSE":
        return
    lines = text.count("\n")
    if lines > LONG_FILE:
        fatal = lines > TOO_LONG_FILE
        yield Finding("length", path, lines, f"{lines} lines; split it", fatal)


def check_workplace(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if WORKPLACES.search(line):
            yield Finding("workplace", path, number, "a path of somebody's machine: " + line.strip())


RULES = [check_floors, check_system_headers, check_cryptography, check_comments, check_length,
         check_workplace]


def check_file(root, path):
    if path.startswith("tests/fuzz/corpus/"):
        return []
    try:
        text = (Path(root) / path).read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return []  # binary, or deleted and not yet committed
    return [finding for rule in RULES for finding in rule(path, text)]
