"""Detectors for counts: numbers and time in, p-values out; nothing of streams, topics or counties."""
