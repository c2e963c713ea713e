sr_main() { :; }
