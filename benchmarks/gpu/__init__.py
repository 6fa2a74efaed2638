"""The benchmark on a GPU: one run of a few minutes, ranked by importance, with launches and memory beside the time."""
