// A plugin that a program loads while it runs.

static int plugin_calls = 0;

extern "C" void plugin_run(int number) { plugin_calls += number; }
