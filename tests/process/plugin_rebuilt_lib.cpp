// The same plugin after a change: another build with the same functions, elsewhere.

static int plugin_calls = 0;

extern "C" int plugin_twice(int number) { return 2 * number; }

extern "C" void plugin_run(int number) { plugin_calls += plugin_twice(number) + 1; }
