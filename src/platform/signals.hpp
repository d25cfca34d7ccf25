#pragma once

namespace procession::platform {

/// Ctrl-C reaches every process of a terminal; who must outlive it does nothing about SIGINT,
/// unlike the programs that it executes, which hear of it as ever. The disposition found is kept.
void ignore_interrupts();
/// Puts back what `ignore_interrupts` found.
void restore_interrupts();
/// Every signal is blocked in this thread from now on: for threads of the library's own, so that
/// the program's handlers run on the program's threads.
void block_signals();
/// Puts back what `block_signals` found in this thread; in the child of a fork, in the thread that
/// forked.
void restore_signals();

}  // namespace procession::platform
