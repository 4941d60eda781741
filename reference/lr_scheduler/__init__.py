"""Learning-rate schedules from scratch: one file a schedule, the closed form and the recursion of each."""
