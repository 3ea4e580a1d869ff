static void run_x87(struct record *r) { (void)r; }
