#pragma once

namespace procession {

/// Must be the first statement of main(). In a process that this library started it does that
/// process's work and does not return; in any other it marks the program as ready to start
/// processes, and returns. Calling it again does nothing. Throws `ProcessError` when the library's
/// own environment variable was forged or damaged. Python: the `if __name__ == "__main__":` guard
/// together with `multiprocessing.freeze_support()`.
void init();

}  // namespace procession
