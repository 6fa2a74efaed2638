"""The losses, each in the file of its family."""
