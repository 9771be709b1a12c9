int f(long x);
int f(long x) { int y = x; return y; }
