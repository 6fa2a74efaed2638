"""A module for each library: what its losses are in terms of ours."""
