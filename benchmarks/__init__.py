"""Benchmarks: every goal of docs/performance.md as a ratio of two things measured side by side in one run."""
