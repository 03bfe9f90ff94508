"""What drives the steps: embedded in one process."""
