"""Time and memory of the losses beside what a user would pick instead: `python -m benchmarks --help`."""
